using System.Collections.Frozen;
using AgentPlatform.Grains.Knowledge.Text;

namespace AgentPlatform.Grains.Agents.Steps;

/// <summary>What a message is when it asks nothing of the knowledge base.</summary>
internal enum SmallTalkKind
{
    /// <summary>It asks or tells something.</summary>
    None,
    Greeting,
    Thanks,
    Goodbye,

    /// <summary>The customer wants to talk to a person.</summary>
    WantsPerson,
}

/// <summary>Recognizes messages that are a greeting, thanks or a goodbye and nothing else, and the wish for a person.</summary>
internal static class SmallTalk
{
    private const int LongestSmallTalk = 8;

    private static readonly FrozenSet<string> Greetings = Words("""
        hi hello hey hiya good morning afternoon evening day there greetings everyone team
        привет здравствуйте здравствуй добрый день утро вечер доброе доброго времени суток приветствую салам хай
        مرحبا مرحبًا اهلا أهلا السلام عليكم سلام عليكم ورحمة الله وبركاته صباح الخير مساء الخير هلا
        bonjour salut bonsoir coucou
        hallo guten tag morgen abend moin servus grüß gott grüezi
        hola buenos buenas días tardes noches saludos
        dzień dobry cześć hej witam witajcie siema wieczór
        """);

    private static readonly FrozenSet<string> Thanks = Words("""
        thanks thank you very much so a lot great perfect ok okay super thx cheers many
        спасибо большое огромное благодарю вам отлично хорошо понятно ок супер
        شكرا شكرًا جزيلا لك لكم ممتاز حسنا تمام
        merci beaucoup bien super parfait d accord
        danke vielen dank schön sehr super alles klar perfekt
        gracias muchas mil vale perfecto genial
        dziękuję dziękuje dzięki bardzo super świetnie wielkie
        """);

    private static readonly FrozenSet<string> ThanksCore = Words("thanks thank thx cheers спасибо благодарю شكرا merci danke dank gracias dziękuję dziękuje dzięki");

    private static readonly FrozenSet<string> Goodbyes = Words("""
        bye goodbye see you later have a good nice day
        пока до свидания всего доброго хорошего дня
        مع السلامة الى اللقاء إلى اللقاء وداعا
        au revoir à bientôt bonne journée
        tschüss auf wiedersehen bis bald später schönen tag
        adiós hasta luego pronto chao
        do widzenia pa na razie miłego dnia
        """);

    private static readonly FrozenSet<string> GoodbyeCore = Words("bye goodbye пока свидания السلامة اللقاء وداعا revoir bientôt tschüss wiedersehen adiós luego chao widzenia pa razie");

    private static readonly FrozenSet<string> Persons = Words("""
        human person operator manager agent someone somebody staff representative
        человек человеком человека оператор оператора оператором менеджер менеджера менеджером сотрудник сотрудником живой живым специалист специалистом
        شخص موظف إنسان انسان مدير مسؤول بشري
        humain personne conseiller quelqu un opérateur responsable
        mensch menschen mitarbeiter mitarbeiterin berater person jemand jemandem
        persona humano agente operador alguien asesor
        człowiekiem człowieka człowiek konsultant konsultantem pracownik pracownikiem kimś osobą operator operatorem
        """);

    private static readonly FrozenSet<string> Talks = Words("""
        talk speak connect chat contact real live transfer
        поговорить соедините переключите позовите связаться общаться свяжите пообщаться
        التحدث اتحدث أتحدث التكلم اكلم أكلم تحويلي حولني
        parler discuter passer contacter
        sprechen reden verbinden verbinde
        hablar comunicar pasar contactar
        rozmawiać porozmawiać połączyć połączcie
        """);

    /// <summary>What the text is.</summary>
    public static SmallTalkKind Recognize(string text)
    {
        var words = WordReader.Read(text);
        if (words.Count == 0)
        {
            return SmallTalkKind.None;
        }

        if (words.Count <= LongestSmallTalk && !text.Contains('?', StringComparison.Ordinal))
        {
            if (words.TrueForAll(Thanks.Contains) && words.Exists(ThanksCore.Contains))
            {
                return SmallTalkKind.Thanks;
            }

            if (words.TrueForAll(Greetings.Contains))
            {
                return SmallTalkKind.Greeting;
            }

            if (words.TrueForAll(word => Goodbyes.Contains(word) || Thanks.Contains(word)) && words.Exists(GoodbyeCore.Contains))
            {
                return SmallTalkKind.Goodbye;
            }
        }

        return words.Exists(Persons.Contains) && words.Exists(Talks.Contains) || (words.Count <= 2 && words.TrueForAll(word => Persons.Contains(word)))
            ? SmallTalkKind.WantsPerson
            : SmallTalkKind.None;
    }

    private static FrozenSet<string> Words(string text) => WordReader.Read(text).ToFrozenSet();
}
