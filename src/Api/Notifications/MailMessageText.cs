using System.Globalization;
using System.Net.Mail;
using System.Text;

namespace AgentPlatform.Api.Notifications;

/// <summary>An e-mail as text.</summary>
/// <param name="Id">Stays the same however often it is sent, so that servers can tell a repeat.</param>
internal sealed record Mail(Guid Id, string To, string Subject, string Body);

/// <summary>Writes an e-mail as it travels (RFC 5322, 2045, 2047): plain text in UTF-8, everything but ASCII encoded, so that no server has to know more than the oldest.</summary>
internal static class MailMessageText
{
    /// <summary>Longest subject.</summary>
    public const int MaxSubjectLength = 200;

    /// <summary>Bytes of text in one encoded word: 45 become 60 characters, and the line stays below 76.</summary>
    private const int EncodedWordBytes = 42;

    /// <summary>The bytes of <c>DATA</c>, each line ended and none a lone dot.</summary>
    public static byte[] Write(Mail mail, MailAddress from, DateTimeOffset now)
    {
        var text = new StringBuilder();
        Header(text, "Date", now.ToString("ddd, dd MMM yyyy HH:mm:ss zz00", CultureInfo.InvariantCulture));
        Header(text, "From", from.DisplayName.Length == 0 ? $"<{from.Address}>" : $"{Encoded(from.DisplayName)} <{from.Address}>");
        Header(text, "To", $"<{mail.To}>");
        Header(text, "Message-ID", $"<{mail.Id:N}@{from.Host}>");
        Header(text, "Subject", Encoded(Plain(mail.Subject)));
        Header(text, "Auto-Submitted", "auto-generated");
        Header(text, "MIME-Version", "1.0");
        Header(text, "Content-Type", "text/plain; charset=utf-8");
        Header(text, "Content-Transfer-Encoding", "base64");
        text.Append("\r\n");
        // Base64 never makes a line that begins with a dot.
        var body = Convert.ToBase64String(Encoding.UTF8.GetBytes(mail.Body.ReplaceLineEndings("\r\n")), Base64FormattingOptions.InsertLineBreaks);
        text.Append(body).Append("\r\n");
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static void Header(StringBuilder text, string name, string value) => text.Append(name).Append(": ").Append(value).Append("\r\n");

    /// <summary>One line, of a length that people read.</summary>
    private static string Plain(string subject)
    {
        var line = string.Concat(subject.Select(character => char.IsControl(character) ? ' ' : character)).Trim();
        return line.Length <= MaxSubjectLength ? line : line[..MaxSubjectLength];
    }

    /// <summary>As encoded words where a header can't hold it, none of which cuts a character in two.</summary>
    private static string Encoded(string text)
    {
        if (text.Length < 70 && text.All(character => char.IsAsciiLetterOrDigit(character) || character is ' ' or '-' or '.' or '\''))
        {
            return text;
        }
        var words = new List<string>();
        var bytes = new List<byte>();
        foreach (var rune in text.EnumerateRunes())
        {
            var encoded = new byte[rune.Utf8SequenceLength];
            rune.EncodeToUtf8(encoded);
            if (bytes.Count + encoded.Length > EncodedWordBytes)
            {
                words.Add(Word(bytes));
                bytes.Clear();
            }
            bytes.AddRange(encoded);
        }
        words.Add(Word(bytes));
        return string.Join("\r\n ", words);

        static string Word(List<byte> bytes) => $"=?utf-8?B?{Convert.ToBase64String([.. bytes])}?=";
    }
}
