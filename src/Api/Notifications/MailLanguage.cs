using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace AgentPlatform.Api.Notifications;

/// <summary>What e-mails say in one language: a file of the folder <c>texts</c>, named by the language. A new file is a new language.</summary>
internal sealed record MailLanguage
{
    /// <summary>The language that every text is there in.</summary>
    public const string Fallback = "en";

    private static readonly ConcurrentDictionary<string, MailLanguage> Known = new(StringComparer.Ordinal);
    /// <summary>The English titles, those that say more first: a longer one isn't taken for a shorter one with a strange name in it.</summary>
    private static readonly Lazy<ImmutableArray<(string Name, Regex Form)>> Forms = new(() => [.. Of(Fallback).Titles.OrderByDescending(title => title.Value.Length).Select(title => (title.Key, Form(title.Value)))]);

    /// <summary>Languages that there are files of.</summary>
    public static ImmutableArray<string> All { get; } =
        [.. typeof(MailLanguage).Assembly.GetManifestResourceNames().Where(name => name.StartsWith("texts.", StringComparison.Ordinal)).Select(name => name.Split('.')[1]).Order(StringComparer.Ordinal)];

    /// <summary>Titles of notifications by name.</summary>
    public required ImmutableDictionary<string, string> Titles { get; init; }

    public required string Somebody { get; init; }

    /// <summary>Why one gets a notification.</summary>
    public required string Footer { get; init; }

    public required string InvitationSubject { get; init; }

    public required string InvitationBody { get; init; }

    public required string ResetSubject { get; init; }

    public required string ResetBody { get; init; }

    public required ImmutableDictionary<string, string> Roles { get; init; }

    /// <summary>The texts of a locale's language, such as <c>pt-BR</c>.</summary>
    public static MailLanguage Of(string? locale)
    {
        var language = locale?.Split('-')[0].ToLowerInvariant() ?? Fallback;
        return Known.GetOrAdd(All.Contains(language) ? language : Fallback, Read);
    }

    /// <summary>
    /// A notification's title in this language. The database writes titles in English, for the product; here the English sentence that it was made from is found, and said
    /// with the same names and numbers. One that is none of them stays as it is.
    /// </summary>
    public string Title(string english)
    {
        foreach (var (name, form) in Forms.Value)
        {
            if (form.Match(english) is { Success: true } match && Titles.TryGetValue(name, out var title))
            {
                return MailTexts.Fill(title, [.. match.Groups.Values.Skip(1).Select(group => group.Value)]);
            }
        }
        return english;
    }

    private static MailLanguage Read(string language)
    {
        using var file = typeof(MailLanguage).Assembly.GetManifestResourceStream($"texts.{language}.json")!;
        return JsonSerializer.Deserialize<MailLanguage>(file, JsonSerializerOptions.Web)!;
    }

    private static Regex Form(string text) =>
        new($"^{Regex.Replace(Regex.Escape(text), @"\\\{[0-9]}", "(.+?)")}$", RegexOptions.Singleline | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
}
