namespace AgentPlatform.Grains.Tests.Agents;

/// <summary>What a small tour company in Kyrgyzstan tells its customers: in English, and the main things in six other languages.</summary>
internal static class TourKnowledge
{
    public static readonly (string Key, string Language, string Title, string Content)[] Articles =
    [
        ("en/cancel", "en", "Cancellation and refunds", """
            ## How do I cancel a booking?
            Write to us or call the office. You get all your money back when you cancel 14 days or more before the start. Between 13 and 3 days before the start we keep 30 % of the price. Later than that we can't give money back.

            ## Can I move to another date?
            Yes. Once, free of charge, if you tell us at least 7 days before the start.
            """),
        ("en/pay", "en", "Payment", """
            ## How can I pay?
            By Visa or Mastercard through a payment link, by bank transfer, or in cash (US dollars or Kyrgyz som) at our office in Bishkek.

            ## Is there a deposit?
            We ask for 20 % when you book. The rest is due one week before the start.
            """),
        ("en/weekend", "en", "Weekend Getaway", """
            Two days at Ala-Archa and the Chunkurchak valley, for people who have little time. We leave Bishkek on Saturday at 8:00 and are back on Sunday at 19:00.

            ## What does the Weekend Getaway cost?
            120 USD per person. Children under 12 pay half.

            ## What is included?
            Minibus, guide, one night in a guest house, breakfast and dinner. Lunch and alcohol are not included.
            """),
        ("en/horse", "en", "Song-Kul horse trek", """
            Four days on horseback to the alpine lake Song-Kul, sleeping in yurts with herders at 3,000 metres.

            ## How difficult is it?
            You don't need to have ridden before. You sit 5 to 6 hours a day in the saddle; a good general fitness is enough. The maximum weight of a rider is 95 kg.

            ## Price
            The Song-Kul horse trek costs 480 USD per person, everything but flights and insurance included.
            """),
        ("en/visa", "en", "Visa and documents", """
            Citizens of more than 60 countries, among them the EU, the UK, the USA, Canada, Japan and the Emirates, need no visa for up to 60 days. Others can get an e-visa at evisa.e-gov.kg, which takes about five working days. Your passport must be valid for six months.
            """),
        ("en/food", "en", "Food on our tours", """
            ## Do you have vegetarian food?
            Yes. Tell us when you book and our cooks prepare vegetarian or vegan meals. All meat is halal. Please tell us about allergies too.
            """),
        ("en/weather", "en", "Best season and weather", """
            The best time for the mountains is from June to September. In July it is 25 to 30 degrees in Bishkek, and nights at the lakes can be close to zero. Winter tours with snowshoes run from December to March.
            """),
        ("en/pack", "en", "What to bring", """
            - Warm jacket and rain coat
            - Hiking boots that you have worn before
            - Sun cream, sunglasses and a hat
            - Head lamp and power bank: there is no electricity in the yurts
            - Sleeping bags are provided
            """),
        ("en/airport", "en", "Airport transfer", """
            We pick you up at Manas airport at any hour. The transfer to your hotel in Bishkek costs 20 USD for up to three people; the driver waits with a sign with your name.
            """),
        ("en/insurance", "en", "Insurance and safety", """
            Travel insurance that covers mountain rescue is required on all trekking tours. Our guides carry a first-aid kit and a satellite phone, and are trained for emergencies.
            """),
        ("en/children", "en", "Travelling with children", """
            Children from 6 years are welcome on the Weekend Getaway and on city tours; for horse treks they must be 12. We have small saddles and child seats.
            """),
        ("en/office", "en", "Office and contact", """
            Our office is at 41 Toktogul Street, Bishkek, open Monday to Friday from 9:00 to 18:00. Call or write on WhatsApp: +996 555 123 456, or mail hello@silkroad.example.
            """),
        ("ru/cancel", "ru", "Отмена и возврат денег", """
            ## Как отменить бронирование?
            Напишите нам или позвоните в офис. При отмене за 14 дней и раньше мы возвращаем всю сумму. За 13–3 дня удерживаем 30 % стоимости. Позже деньги не возвращаются.
            """),
        ("ru/pay", "ru", "Оплата", """
            ## Как можно оплатить тур?
            Картой Visa или Mastercard по ссылке, банковским переводом или наличными (доллары или сомы) в нашем офисе в Бишкеке. При бронировании нужна предоплата 20 %.
            """),
        ("ru/horse", "ru", "Конный тур на Сон-Куль", """
            Четыре дня верхом к высокогорному озеру Сон-Куль с ночёвками в юртах на высоте 3000 метров. Стоимость конного тура — 480 долларов с человека, всё включено, кроме перелёта и страховки.

            ## Нужен ли опыт верховой езды?
            Нет, опыт не нужен. В седле мы проводим 5–6 часов в день, достаточно обычной физической подготовки.
            """),
        ("ru/visa", "ru", "Виза и документы", """
            Гражданам более 60 стран виза не нужна на срок до 60 дней. Гражданам России достаточно внутреннего паспорта. Остальные могут оформить электронную визу за пять рабочих дней.
            """),
        ("ru/food", "ru", "Питание в турах", """
            Мы готовим вегетарианские и веганские блюда, если сообщить при бронировании. Всё мясо халяль. Об аллергии тоже предупредите заранее.
            """),
        ("de/cancel", "de", "Stornierung und Erstattung", """
            ## Wie kann ich stornieren?
            Schreiben Sie uns oder rufen Sie im Büro an. Bis 14 Tage vor Beginn erstatten wir den vollen Preis, danach behalten wir 30 %. In den letzten zwei Tagen ist keine Erstattung möglich.
            """),
        ("de/horse", "de", "Reittour zum Song-Kul", """
            Vier Tage zu Pferd zum Bergsee Song-Kul, Übernachtung in Jurten auf 3000 Metern. Die Reittour kostet 480 US-Dollar pro Person. Reiterfahrung ist nicht nötig.
            """),
        ("de/visa", "de", "Visum und Einreise", """
            Bürger der EU und der Schweiz brauchen für bis zu 60 Tage kein Visum. Der Reisepass muss noch sechs Monate gültig sein.
            """),
        ("fr/cancel", "fr", "Annulation et remboursement", """
            Vous pouvez annuler par message ou par téléphone. Jusqu'à 14 jours avant le départ, nous remboursons la totalité. Ensuite nous gardons 30 % du prix.
            """),
        ("fr/weather", "fr", "Saison et météo", """
            La meilleure saison pour la montagne va de juin à septembre. Les nuits au bord des lacs sont froides, parfois proches de zéro degré.
            """),
        ("es/pay", "es", "Formas de pago", """
            Se puede pagar con tarjeta Visa o Mastercard, por transferencia o en efectivo en nuestra oficina de Biskek. Al reservar pedimos un anticipo del 20 %.
            """),
        ("es/children", "es", "Viajar con niños", """
            Los niños a partir de 6 años pueden participar en la escapada de fin de semana. Para las rutas a caballo deben tener 12 años.
            """),
        ("pl/visa", "pl", "Wiza i dokumenty", """
            Obywatele Unii Europejskiej nie potrzebują wizy przez 60 dni. Paszport musi być ważny jeszcze sześć miesięcy.
            """),
        ("pl/pack", "pl", "Co zabrać ze sobą", """
            Ciepła kurtka, ubranie od deszczu, wygodne buty trekkingowe i czołówka. W jurtach nie ma prądu. Śpiwory zapewniamy.
            """),
        ("ar/food", "ar", "الطعام في الجولات", """
            كل اللحوم حلال. نقدم وجبات نباتية إذا أخبرتمونا عند الحجز. يرجى إبلاغنا أيضا عن أي حساسية.
            """),
        ("ar/visa", "ar", "التأشيرة والوثائق", """
            مواطنو الإمارات والسعودية لا يحتاجون إلى تأشيرة لمدة ستين يوما. يجب أن يكون جواز السفر صالحا لستة أشهر.
            """),
    ];
}
