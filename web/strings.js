// The words of the page in the languages that it speaks. `{0}` stands for a name.
const words = {
  en: {
    online: 'Online', connecting: 'Connecting…', offline: 'No connection. Trying again…', gone: 'This chat is not available.',
    placeholder: 'Write a message', label: 'Your message', send: 'Send', close: 'Close the chat', hint: 'Enter sends, Shift+Enter starts a new line',
    you: 'You', assistant: 'Assistant', team: 'Team', automatic: 'automatic', typing: '{0} is typing', earlier: 'Earlier messages', newer: 'New messages ↓',
    sending: 'Sending…', waiting: 'Will be sent when you are back online', delivered: 'Delivered', failed: 'Not sent.', retry: 'Try again',
    today: 'Today', yesterday: 'Yesterday', file: 'File', image: 'Picture', thread: 'Messages', unsupported: 'This message can’t be shown here.',
    anew: 'A new conversation begins here',
  },
  ru: {
    online: 'На связи', connecting: 'Подключение…', offline: 'Нет связи. Пробуем снова…', gone: 'Этот чат недоступен.',
    placeholder: 'Напишите сообщение', label: 'Ваше сообщение', send: 'Отправить', close: 'Закрыть чат', hint: 'Enter — отправить, Shift+Enter — новая строка',
    you: 'Вы', assistant: 'Ассистент', team: 'Команда', automatic: 'автоматически', typing: '{0} печатает', earlier: 'Более ранние сообщения', newer: 'Новые сообщения ↓',
    sending: 'Отправляется…', waiting: 'Отправим, когда появится связь', delivered: 'Доставлено', failed: 'Не отправлено.', retry: 'Повторить',
    today: 'Сегодня', yesterday: 'Вчера', file: 'Файл', image: 'Изображение', thread: 'Сообщения', unsupported: 'Это сообщение нельзя показать здесь.',
    anew: 'Здесь начинается новый разговор',
  },
  ar: {
    online: 'متصل', connecting: 'جارٍ الاتصال…', offline: 'لا يوجد اتصال. نحاول مجددًا…', gone: 'هذه المحادثة غير متاحة.',
    placeholder: 'اكتب رسالة', label: 'رسالتك', send: 'إرسال', close: 'إغلاق المحادثة', hint: 'اضغط Enter للإرسال وShift+Enter لسطر جديد',
    you: 'أنت', assistant: 'المساعد', team: 'الفريق', automatic: 'رد آلي', typing: '{0} يكتب الآن', earlier: 'رسائل أقدم', newer: 'رسائل جديدة ↓',
    sending: 'جارٍ الإرسال…', waiting: 'ستُرسل عند عودة الاتصال', delivered: 'تم التسليم', failed: 'لم تُرسل.', retry: 'أعد المحاولة',
    today: 'اليوم', yesterday: 'أمس', file: 'ملف', image: 'صورة', thread: 'الرسائل', unsupported: 'لا يمكن عرض هذه الرسالة هنا.',
    anew: 'هنا تبدأ محادثة جديدة',
  },
  fr: {
    online: 'En ligne', connecting: 'Connexion…', offline: 'Pas de connexion. Nouvel essai…', gone: 'Cette discussion n’est pas disponible.',
    placeholder: 'Écrivez un message', label: 'Votre message', send: 'Envoyer', close: 'Fermer la discussion', hint: 'Entrée pour envoyer, Maj+Entrée pour une nouvelle ligne',
    you: 'Vous', assistant: 'Assistant', team: 'L’équipe', automatic: 'automatique', typing: '{0} écrit', earlier: 'Messages précédents', newer: 'Nouveaux messages ↓',
    sending: 'Envoi…', waiting: 'Sera envoyé au retour de la connexion', delivered: 'Remis', failed: 'Non envoyé.', retry: 'Réessayer',
    today: 'Aujourd’hui', yesterday: 'Hier', file: 'Fichier', image: 'Image', thread: 'Messages', unsupported: 'Ce message ne peut pas être affiché ici.',
    anew: 'Une nouvelle conversation commence ici',
  },
  de: {
    online: 'Online', connecting: 'Verbinden…', offline: 'Keine Verbindung. Neuer Versuch…', gone: 'Dieser Chat ist nicht verfügbar.',
    placeholder: 'Nachricht schreiben', label: 'Ihre Nachricht', send: 'Senden', close: 'Chat schließen', hint: 'Enter sendet, Umschalt+Enter beginnt eine neue Zeile',
    you: 'Sie', assistant: 'Assistent', team: 'Team', automatic: 'automatisch', typing: '{0} schreibt', earlier: 'Frühere Nachrichten', newer: 'Neue Nachrichten ↓',
    sending: 'Wird gesendet…', waiting: 'Wird gesendet, sobald Sie wieder online sind', delivered: 'Zugestellt', failed: 'Nicht gesendet.', retry: 'Erneut senden',
    today: 'Heute', yesterday: 'Gestern', file: 'Datei', image: 'Bild', thread: 'Nachrichten', unsupported: 'Diese Nachricht kann hier nicht angezeigt werden.',
    anew: 'Hier beginnt eine neue Unterhaltung',
  },
  es: {
    online: 'En línea', connecting: 'Conectando…', offline: 'Sin conexión. Reintentando…', gone: 'Este chat no está disponible.',
    placeholder: 'Escribe un mensaje', label: 'Tu mensaje', send: 'Enviar', close: 'Cerrar el chat', hint: 'Intro envía, Mayús+Intro empieza otra línea',
    you: 'Tú', assistant: 'Asistente', team: 'Equipo', automatic: 'automático', typing: '{0} está escribiendo', earlier: 'Mensajes anteriores', newer: 'Mensajes nuevos ↓',
    sending: 'Enviando…', waiting: 'Se enviará cuando vuelva la conexión', delivered: 'Entregado', failed: 'No enviado.', retry: 'Reintentar',
    today: 'Hoy', yesterday: 'Ayer', file: 'Archivo', image: 'Imagen', thread: 'Mensajes', unsupported: 'Este mensaje no se puede mostrar aquí.',
    anew: 'Aquí empieza una conversación nueva',
  },
  pl: {
    online: 'Online', connecting: 'Łączenie…', offline: 'Brak połączenia. Próbujemy ponownie…', gone: 'Ten czat jest niedostępny.',
    placeholder: 'Napisz wiadomość', label: 'Twoja wiadomość', send: 'Wyślij', close: 'Zamknij czat', hint: 'Enter wysyła, Shift+Enter zaczyna nowy wiersz',
    you: 'Ty', assistant: 'Asystent', team: 'Zespół', automatic: 'automatycznie', typing: '{0} pisze', earlier: 'Wcześniejsze wiadomości', newer: 'Nowe wiadomości ↓',
    sending: 'Wysyłanie…', waiting: 'Wyślemy, gdy wróci połączenie', delivered: 'Dostarczono', failed: 'Nie wysłano.', retry: 'Spróbuj ponownie',
    today: 'Dzisiaj', yesterday: 'Wczoraj', file: 'Plik', image: 'Obraz', thread: 'Wiadomości', unsupported: 'Tej wiadomości nie można tu pokazać.',
    anew: 'Tu zaczyna się nowa rozmowa',
  },
};

/** The first language that both the visitor and the page speak: `?lang=` before the browser's own list. */
export const language = [new URLSearchParams(location.search).get('lang'), ...navigator.languages]
  .map(tag => (tag ?? '').slice(0, 2).toLowerCase()).find(tag => tag in words) ?? 'en';

/** The words of that language. */
export const t = words[language];

/** Puts a name into a phrase. */
export const say = (phrase, name) => phrase.replace('{0}', name);
