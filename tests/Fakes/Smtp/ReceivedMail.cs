using System.Text;
using System.Text.RegularExpressions;

namespace AgentPlatform.Fakes.Smtp;

/// <summary>An e-mail that the server took, decoded.</summary>
public sealed partial record ReceivedMail(string From, IReadOnlyList<string> To, IReadOnlyDictionary<string, string> Headers, string Body)
{
    private static readonly string[] Needed = ["Date", "From", "To", "Message-ID", "Subject", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"];

    /// <summary>The text that people read as its subject.</summary>
    public string Subject => Headers["Subject"];

    /// <summary>Reads what came after <c>DATA</c>; notes what RFC 5322, 2045 or 2047 don't allow.</summary>
    public static ReceivedMail Parse(string from, IReadOnlyList<string> to, IReadOnlyList<string> lines, Action<string> violation)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        string? last = null;
        var index = 0;
        for (; index < lines.Count && lines[index].Length > 0; index++)
        {
            if (lines[index][0] is ' ' or '\t' && last is not null)
            {
                headers[last] += lines[index];
            }
            else if (lines[index].Split(": ", 2) is [var name, var value] && NamePattern().IsMatch(name))
            {
                last = name;
                if (!headers.TryAdd(name, value))
                {
                    violation($"the header {name} twice");
                }
            }
            else
            {
                violation($"a line that is no header: {lines[index]}");
            }
            if (lines[index].Length > 78)
            {
                violation($"a header line of {lines[index].Length} characters");
            }
        }
        foreach (var name in Needed.Where(name => !headers.ContainsKey(name)))
        {
            violation($"no header {name}");
        }
        if (headers.TryGetValue("Date", out var date) && !DatePattern().IsMatch(date))
        {
            violation($"a date that is none: {date}");
        }
        var body = string.Join("\r\n", lines.Skip(index + 1));
        if (headers.GetValueOrDefault("Content-Transfer-Encoding") == "base64")
        {
            body = Encoding.UTF8.GetString(Convert.FromBase64String(body));
        }
        return new(from, to, headers.ToDictionary(header => header.Key, header => Decode(header.Value, violation), StringComparer.OrdinalIgnoreCase), body);
    }

    /// <summary>RFC 2047: neighbouring words without the space between them.</summary>
    private static string Decode(string value, Action<string> violation) => WordPattern().Replace(
        WordGapPattern().Replace(value, "?==?"),
        word =>
        {
            if (word.Length > 75)
            {
                violation($"an encoded word of {word.Length} characters");
            }
            return Encoding.UTF8.GetString(Convert.FromBase64String(word.Groups[1].Value));
        });

    [GeneratedRegex("^[A-Za-z-]+$")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}$")]
    private static partial Regex DatePattern();

    [GeneratedRegex(@"=\?utf-8\?B\?([A-Za-z0-9+/=]+)\?=")]
    private static partial Regex WordPattern();

    [GeneratedRegex(@"\?=[ \t]+=\?")]
    private static partial Regex WordGapPattern();
}
