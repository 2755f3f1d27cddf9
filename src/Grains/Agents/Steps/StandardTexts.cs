using System.Collections.Frozen;

namespace AgentPlatform.Grains.Agents.Steps;

/// <summary>What the product says by itself, where a persona has no words of its own: in the customer's language if it is one of seven, else in English.</summary>
internal sealed record StandardTexts
{
    public required string Greeting { get; init; }
    public required string YouAreWelcome { get; init; }
    public required string Goodbye { get; init; }

    /// <summary>There is no answer, and the agent stays in charge.</summary>
    public required string Apology { get; init; }

    /// <summary>There is no answer, and a person will write.</summary>
    public required string Escalated { get; init; }

    /// <summary>There is no answer, and the customer is connected with a person.</summary>
    public required string Transferred { get; init; }

    /// <summary>There is no answer: the customer may put it differently.</summary>
    public required string Rephrase { get; init; }

    /// <summary>The customer asked for a person.</summary>
    public required string PersonIsComing { get; init; }

    /// <summary>Stands before the title of the article that an extract comes from.</summary>
    public required string Source { get; init; }

    /// <summary>The texts of a language (ISO 639-1).</summary>
    public static StandardTexts For(string language) => ByLanguage.GetValueOrDefault(language, ByLanguage["en"]);

    private static readonly FrozenDictionary<string, StandardTexts> ByLanguage = new Dictionary<string, StandardTexts>
    {
        ["en"] = new()
        {
            Greeting = "Hello! How can I help you?",
            YouAreWelcome = "You're welcome! If anything else comes up, just write.",
            Goodbye = "Goodbye, and have a good day!",
            Apology = "I'm sorry, I can't answer that. Is there anything else I can help with?",
            Escalated = "I don't have a sure answer to that. I've told my colleagues, and one of them will write to you here.",
            Transferred = "I'm passing you on to a colleague, who will answer you here.",
            Rephrase = "I didn't quite get that. Could you put it differently?",
            PersonIsComing = "Of course. A colleague will write to you here.",
            Source = "Source",
        },
        ["ru"] = new()
        {
            Greeting = "Здравствуйте! Чем могу помочь?",
            YouAreWelcome = "Пожалуйста! Если появятся ещё вопросы — пишите.",
            Goodbye = "До свидания, хорошего дня!",
            Apology = "К сожалению, на этот вопрос я ответить не могу. Могу ли я помочь чем-то ещё?",
            Escalated = "Точного ответа у меня нет. Я передал вопрос коллегам, вам напишут здесь же.",
            Transferred = "Передаю вас коллеге: ответ придёт сюда.",
            Rephrase = "Я не совсем понял вопрос. Не могли бы вы сформулировать его иначе?",
            PersonIsComing = "Конечно. Мой коллега напишет вам здесь.",
            Source = "Источник",
        },
        ["ar"] = new()
        {
            Greeting = "مرحبًا! كيف يمكنني مساعدتك؟",
            YouAreWelcome = "على الرحب والسعة! راسلنا متى احتجت إلى أي شيء آخر.",
            Goodbye = "إلى اللقاء، ونتمنى لك يومًا سعيدًا!",
            Apology = "عذرًا، لا أستطيع الإجابة عن هذا السؤال. هل يمكنني مساعدتك في شيء آخر؟",
            Escalated = "ليست لدي إجابة أكيدة. أبلغت زملائي وسيراسلك أحدهم هنا.",
            Transferred = "سأحوّلك إلى أحد زملائي وسيجيبك هنا.",
            Rephrase = "لم أفهم السؤال تمامًا. هل يمكنك صياغته بطريقة أخرى؟",
            PersonIsComing = "بالتأكيد. سيراسلك أحد زملائي هنا.",
            Source = "المصدر",
        },
        ["fr"] = new()
        {
            Greeting = "Bonjour ! Comment puis-je vous aider ?",
            YouAreWelcome = "Avec plaisir ! N'hésitez pas à écrire si vous avez d'autres questions.",
            Goodbye = "Au revoir et bonne journée !",
            Apology = "Je suis désolé, je ne peux pas répondre à cette question. Puis-je vous aider pour autre chose ?",
            Escalated = "Je n'ai pas de réponse sûre. J'ai prévenu mes collègues, l'un d'eux vous écrira ici.",
            Transferred = "Je vous passe un collègue, qui vous répondra ici.",
            Rephrase = "Je n'ai pas bien compris. Pourriez-vous le dire autrement ?",
            PersonIsComing = "Bien sûr. Un collègue vous écrira ici.",
            Source = "Source",
        },
        ["de"] = new()
        {
            Greeting = "Hallo! Wie kann ich Ihnen helfen?",
            YouAreWelcome = "Gern geschehen! Schreiben Sie jederzeit, wenn noch etwas ist.",
            Goodbye = "Auf Wiedersehen und einen schönen Tag!",
            Apology = "Das kann ich leider nicht beantworten. Kann ich Ihnen sonst weiterhelfen?",
            Escalated = "Darauf habe ich keine sichere Antwort. Ich habe meine Kollegen informiert, jemand schreibt Ihnen hier.",
            Transferred = "Ich gebe Sie an eine Kollegin oder einen Kollegen weiter; die Antwort kommt hier.",
            Rephrase = "Das habe ich nicht ganz verstanden. Können Sie es anders formulieren?",
            PersonIsComing = "Natürlich. Jemand aus unserem Team schreibt Ihnen hier.",
            Source = "Quelle",
        },
        ["es"] = new()
        {
            Greeting = "¡Hola! ¿En qué puedo ayudarle?",
            YouAreWelcome = "¡De nada! Si surge algo más, escríbanos.",
            Goodbye = "¡Hasta luego y que tenga un buen día!",
            Apology = "Lo siento, no puedo responder a eso. ¿Puedo ayudarle en algo más?",
            Escalated = "No tengo una respuesta segura. He avisado a mis compañeros y uno de ellos le escribirá aquí.",
            Transferred = "Le paso con un compañero, que le responderá aquí.",
            Rephrase = "No lo he entendido bien. ¿Podría decirlo de otra manera?",
            PersonIsComing = "Por supuesto. Un compañero le escribirá aquí.",
            Source = "Fuente",
        },
        ["pl"] = new()
        {
            Greeting = "Dzień dobry! W czym mogę pomóc?",
            YouAreWelcome = "Proszę bardzo! W razie kolejnych pytań proszę pisać.",
            Goodbye = "Do widzenia i miłego dnia!",
            Apology = "Przykro mi, nie potrafię na to odpowiedzieć. Czy mogę pomóc w czymś innym?",
            Escalated = "Nie mam pewnej odpowiedzi. Przekazałem pytanie zespołowi i ktoś napisze tutaj do Państwa.",
            Transferred = "Przekazuję rozmowę koleżance lub koledze; odpowiedź przyjdzie tutaj.",
            Rephrase = "Nie do końca rozumiem. Czy można to ująć inaczej?",
            PersonIsComing = "Oczywiście. Ktoś z zespołu napisze tutaj do Państwa.",
            Source = "Źródło",
        },
    }.ToFrozenDictionary();
}
