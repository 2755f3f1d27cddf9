using System.Collections.Immutable;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>Words for true and false: those that spreadsheets of the larger languages write, and those that people put in their place.</summary>
internal static class CellFlag
{
    public static readonly ImmutableArray<string> True =
    [
        "true", "t", "yes", "y", "1", "on", "x", "✓", "✔", "☑",
        "wahr", "ja", "j", "vrai", "oui", "verdadero", "sí", "si", "verdadeiro", "sim", "vero", "sì", "waar", "prawda", "tak", "истина", "да", "так", "pravda", "ano", "sant", "sand", "sann",
        "tosi", "kyllä", "igaz", "igen", "doğru", "evet", "adevărat", "da",
    ];

    public static readonly ImmutableArray<string> False =
    [
        "false", "f", "no", "n", "0", "off", "☐",
        "falsch", "nein", "faux", "non", "falso", "não", "onwaar", "nee", "fałsz", "nie", "ложь", "нет", "ні", "nepravda", "ne", "falskt", "nej", "falsk", "usann", "nei",
        "epätosi", "ei", "hamis", "nem", "yanlış", "hayır", "fals", "nu",
    ];

    private static readonly Dictionary<string, bool> Known = True.Select(word => (Word: ComparableText.Of(word), Means: true)).Concat(False.Select(word => (Word: ComparableText.Of(word), Means: false)))
        .ToDictionary(entry => entry.Word, entry => entry.Means, StringComparer.Ordinal);

    /// <summary>What a word means, whatever its case; null for one that isn't known.</summary>
    public static bool? Read(string text) => Known.TryGetValue(ComparableText.Of(text), out var means) ? means : null;
}
