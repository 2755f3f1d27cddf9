using System.Text;
using AgentPlatform.Data.Json;
using MimeKit;

namespace AgentPlatform.Api.Emails;

/// <summary>An e-mail as text.</summary>
/// <param name="Id">Stays the same however often it is sent, so that servers can tell a repeat.</param>
internal sealed record Mail(Guid Id, string To, string Subject, string Body);

/// <summary>Makes messages (RFC 5322) of e-mails.</summary>
internal static class MailMessages
{
    /// <summary>Longest subject.</summary>
    public const int MaxSubjectLength = 200;

    /// <summary>Longest line that SMTP carries, in octets.</summary>
    private const int MaxLineOctets = 998;

    /// <summary>Octets of text in one encoded word: 42 become 68 characters with what stands around them, and the line stays below 78.</summary>
    private const int EncodedWordOctets = 42;

    /// <param name="takesEightBits">The server offers 8BITMIME.</param>
    public static MimeMessage Compose(Mail mail, MailboxAddress from, MailboxAddress to, bool takesEightBits, DateTimeOffset now)
    {
        var text = mail.Body.ReplaceLineEndings("\r\n");
        var message = new MimeMessage
        {
            Date = now,
            MessageId = $"{mail.Id:N}@{MailboxAddress.IdnMapping.Encode(from.Domain)}",
            Body = new TextPart("plain") { Text = text, ContentTransferEncoding = EncodingOf(text, takesEightBits) },
        };
        message.From.Add(from);
        message.To.Add(to);
        message.Headers.Replace(Subject(Line(mail.Subject)));
        // Nobody's absence notice is wanted in return (RFC 3834).
        message.Headers.Add(HeaderId.AutoSubmitted, "auto-generated");
        return message;
    }

    /// <summary>As it is where the server takes it so; else in base64, for the library's quoted-printable has longer lines than RFC 2045 allows.</summary>
    private static ContentEncoding EncodingOf(string text, bool takesEightBits) =>
        text.Split("\r\n").Any(line => Encoding.UTF8.GetByteCount(line) > MaxLineOctets) ? ContentEncoding.Base64
        : Ascii.IsValid(text) ? ContentEncoding.SevenBit
        : takesEightBits ? ContentEncoding.EightBit : ContentEncoding.Base64;

    /// <summary>One line, of a length that people read.</summary>
    private static string Line(string subject) =>
        JsonText.Cut(string.Concat(subject.Select(character => char.IsControl(character) ? ' ' : character)).Trim(), MaxSubjectLength);

    /// <summary>The library makes encoded words of more than the 75 characters that RFC 2047 allows: here none is, and none cuts a character in two.</summary>
    private static Header Subject(string line)
    {
        var subject = new Header(HeaderId.Subject, line);
        if (Ascii.IsValid(line))
        {
            return subject;
        }
        var words = new StringBuilder();
        var (start, octets) = (0, 0);
        for (var place = 0; place < line.Length;)
        {
            var rune = Rune.TryGetRuneAt(line, place, out var whole) ? whole : Rune.ReplacementChar;
            if (octets + rune.Utf8SequenceLength > EncodedWordOctets)
            {
                Add(place);
                (start, octets) = (place, 0);
            }
            (place, octets) = (place + rune.Utf16SequenceLength, octets + rune.Utf8SequenceLength);
        }
        Add(line.Length);
        subject.SetRawValue(Encoding.ASCII.GetBytes(words.ToString()));
        return subject;

        void Add(int end) => words.Append(" =?utf-8?B?").Append(Convert.ToBase64String(Encoding.UTF8.GetBytes(line[start..end]))).Append("?=\r\n");
    }
}
