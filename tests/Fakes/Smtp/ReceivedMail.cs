using System.Text;
using System.Text.RegularExpressions;

namespace AgentPlatform.Fakes.Smtp;

/// <summary>An e-mail that the server took, decoded.</summary>
/// <param name="From">The sender of the envelope.</param>
/// <param name="To">The recipients of the envelope.</param>
/// <param name="Headers">Each as people read it.</param>
/// <param name="Body">Its text.</param>
/// <param name="Encoding">How the text travelled: <c>7bit</c>, <c>8bit</c>, <c>quoted-printable</c> or <c>base64</c>.</param>
/// <param name="IsUtf8">It came under SMTPUTF8.</param>
public sealed partial record ReceivedMail(string From, IReadOnlyList<string> To, IReadOnlyDictionary<string, string> Headers, string Body, string Encoding, bool IsUtf8)
{
    private static readonly string[] Needed = ["Date", "From", "To", "Message-ID", "Subject", "MIME-Version", "Content-Type"];

    /// <summary>The text that people read as its subject.</summary>
    public string Subject => Headers["Subject"];

    /// <summary>Reads what came after <c>DATA</c>; notes what RFC 5322, 2045, 2047 or 6532 don't allow.</summary>
    public static ReceivedMail Parse(string from, IReadOnlyList<string> to, IReadOnlyList<string> lines, bool isEightBit, bool isUtf8, Action<string> violation)
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
            else if (lines[index].Split(':', 2) is [var folded, ""] && NamePattern().IsMatch(folded))
            {
                last = folded;
                headers.Add(folded, "");
            }
            else
            {
                violation($"a line that is no header: {lines[index]}");
            }
            if (lines[index].Length > 78 && lines[index].Contains(' ', StringComparison.Ordinal) && !lines[index].StartsWith("Message-Id:", StringComparison.OrdinalIgnoreCase))
            {
                violation($"a header line of {lines[index].Length} characters: {lines[index]}");
            }
            if (!isUtf8 && !Ascii.IsValid(lines[index]))
            {
                violation($"a header that is not ASCII without SMTPUTF8: {lines[index]}");
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
        var encoding = headers.GetValueOrDefault("Content-Transfer-Encoding", "7bit").ToLowerInvariant();
        if (encoding == "8bit" && !isEightBit)
        {
            violation("a body of 8bit without BODY=8BITMIME");
        }
        var body = Decoded(lines.Skip(index + 1), encoding, violation);
        return new(from, to, headers.ToDictionary(header => header.Key, header => Decode(header.Value, violation), StringComparer.OrdinalIgnoreCase), body, encoding, isUtf8);
    }

    private static string Decoded(IEnumerable<string> lines, string encoding, Action<string> violation)
    {
        switch (encoding)
        {
            case "base64":
                return System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(string.Concat(lines.Select(line => Short(line)))));
            case "quoted-printable":
                return Unquoted(string.Concat(lines.Select(line => Short(line) + "\r\n")).Replace("=\r\n", "", StringComparison.Ordinal));
            case "7bit" or "8bit":
                return string.Join("\r\n", lines);
            default:
                violation($"an encoding that is none: {encoding}");
                return "";
        }

        string Short(string line)
        {
            if (line.Length > 76)
            {
                violation($"an encoded line of {line.Length} characters");
            }
            return line;
        }
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
            var text = word.Groups["text"].Value;
            return word.Groups["how"].Value is "B" or "b" ? System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(text)) : Unquoted(text.Replace('_', ' '));
        });

    private static string Unquoted(string text)
    {
        var bytes = new List<byte>();
        for (var place = 0; place < text.Length; place++)
        {
            if (text[place] == '=' && place + 2 < text.Length)
            {
                bytes.Add(Convert.ToByte(text.Substring(place + 1, 2), 16));
                place += 2;
            }
            else
            {
                bytes.Add((byte)text[place]);
            }
        }
        return System.Text.Encoding.UTF8.GetString([.. bytes]);
    }

    [GeneratedRegex("^[A-Za-z-]+$")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}$")]
    private static partial Regex DatePattern();

    [GeneratedRegex(@"=\?utf-8\?(?<how>[BQ])\?(?<text>[^?]+)\?=", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex WordPattern();

    [GeneratedRegex(@"\?=[ \t]+=\?")]
    private static partial Regex WordGapPattern();
}
