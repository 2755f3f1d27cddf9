using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace AgentPlatform.Api.Notifications;

/// <summary>What people are told in one language, in the product and by e-mail: a file of the folder <c>texts</c>, named by the language. A new file is a new language.</summary>
internal sealed record ReaderLanguage
{
    /// <summary>The language that every text is there in.</summary>
    public const string Fallback = "en";

    /// <summary>Longest title of a notification.</summary>
    public const int MaxTitleLength = 300;

    private static readonly ConcurrentDictionary<string, ReaderLanguage> Known = new(StringComparer.Ordinal);

    /// <summary>Languages that there are files of.</summary>
    public static ImmutableArray<string> All { get; } =
        [.. typeof(ReaderLanguage).Assembly.GetManifestResourceNames().Where(name => name.StartsWith("texts.", StringComparison.Ordinal)).Select(name => name.Split('.')[1]).Order(StringComparer.Ordinal)];

    /// <summary>Titles of notifications by name.</summary>
    public required ImmutableDictionary<string, string> Titles { get; init; }

    /// <summary>Why one gets a notification.</summary>
    public required string Footer { get; init; }

    public required string InvitationSubject { get; init; }

    public required string InvitationBody { get; init; }

    public required string ResetSubject { get; init; }

    public required string ResetBody { get; init; }

    public required string TestSubject { get; init; }

    public required string TestBody { get; init; }

    /// <summary>Words of the product that stand in texts: roles, states, kinds of jobs, and what somebody is called whose name nobody knows.</summary>
    public required ImmutableDictionary<string, string> Words { get; init; }

    /// <summary>The texts of a locale's language, such as <c>pt-BR</c>.</summary>
    public static ReaderLanguage Of(string? locale)
    {
        var language = locale?.Split('-')[0].ToLowerInvariant() ?? Fallback;
        return Known.GetOrAdd(All.Contains(language) ? language : Fallback, Read);
    }

    /// <summary>A notification's title; null for a text that this release doesn't know.</summary>
    public string? Title(string? name, IReadOnlyList<string?>? values) => name is not null && values is not null && Titles.TryGetValue(name, out var title) ? Cut(Fill(title, [.. values])) : null;

    /// <summary>
    /// Puts values into a text. <c>{0}</c> takes one as it is, whatever it looks like; <c>{0:word}</c> takes a word of the product, in this language; any other name after the colon is the
    /// word for a value that is missing.
    /// </summary>
    public string Fill(string text, params ImmutableArray<string?> values) => string.Format(CultureInfo.InvariantCulture, text, [.. values.Select(value => new Value(value, Words))]);

    private static string Cut(string title) =>
        title.Length <= MaxTitleLength ? title : title[..(char.IsHighSurrogate(title[MaxTitleLength - 1]) ? MaxTitleLength - 1 : MaxTitleLength)];

    private static ReaderLanguage Read(string language)
    {
        using var file = typeof(ReaderLanguage).Assembly.GetManifestResourceStream($"texts.{language}.json")!;
        return JsonSerializer.Deserialize<ReaderLanguage>(file, JsonSerializerOptions.Web)!;
    }

    private sealed record Value(string? Text, ImmutableDictionary<string, string> Words) : IFormattable
    {
        public string ToString(string? format, IFormatProvider? formatProvider) => (Text, format) switch
        {
            ({ } text, "word") => Words.GetValueOrDefault(text, text),
            ({ } text, _) => text,
            (null, { } name) => Words.GetValueOrDefault(name, ""),
            _ => "",
        };
    }
}
