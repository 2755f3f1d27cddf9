namespace AgentPlatform.Grains.Knowledge.Text;

/// <summary>The languages that the product speaks by itself: built-in texts, stop words, full text. Others work too, with plain words.</summary>
internal static class KnowledgeLanguage
{
    /// <summary>What is used when nothing tells the language.</summary>
    public const string Default = "en";

    /// <summary>ISO 639-1 codes.</summary>
    public static readonly string[] Known = ["en", "ru", "ar", "fr", "de", "es", "pl"];

    /// <summary>The two-letter code of a BCP 47 tag in lower case (<c>pt-BR</c> → <c>pt</c>), or null.</summary>
    public static string? Primary(string? tag)
    {
        var primary = tag?.Split('-', '_')[0].Trim().ToLowerInvariant();
        return primary is { Length: 2 or 3 } ? primary : null;
    }

    /// <summary>The English name of a language for an instruction to a model.</summary>
    public static string NameOf(string code) => code switch
    {
        "en" => "English",
        "ru" => "Russian",
        "ar" => "Arabic",
        "fr" => "French",
        "de" => "German",
        "es" => "Spanish",
        "pl" => "Polish",
        _ => $"the language with the code '{code}'",
    };
}
