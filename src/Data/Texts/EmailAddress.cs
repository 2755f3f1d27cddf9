using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using MimeKit;

namespace AgentPlatform.Data.Texts;

/// <summary>
/// E-mail addresses. Two are the same whatever their case. Letters that only look alike stay apart, since an account hangs on them: they are composed (NFC), no more.
/// The database's <c>comparable_email</c> compares as <see cref="Comparable"/> does.
/// </summary>
public static partial class EmailAddress
{
    /// <summary>Longest address, in octets with its domain in ASCII (RFC 5321, 4.5.3.1.3, without the brackets of a path).</summary>
    public const int MaxLength = 254;

    /// <summary>Longest part before the @, in octets (RFC 5321, 4.5.3.1.1).</summary>
    public const int MaxLocalLength = 64;

    private static readonly IdnMapping Domains = new();
    private static readonly IdnMapping HostNames = new() { UseStd3AsciiRules = true };

    private static readonly ParserOptions Strict = new()
    {
        AddressParserComplianceMode = RfcComplianceMode.Strict,
        AllowAddressesWithoutDomain = false,
        AllowUnquotedCommasInAddresses = false,
        MaxAddressGroupDepth = 0,
    };

    /// <summary>What is kept of an address that people type: without invisible characters and spaces, the domain as its country writes it (<c>xn--mnchen-3ya.de</c> is <c>münchen.de</c>).</summary>
    public static string Typed(string text)
    {
        var address = TypedText.Identifier(text);
        return address.LastIndexOf('@') is >= 0 and var at ? address[..(at + 1)] + Domain(address[(at + 1)..]) : address;
    }

    /// <summary>The form in which two addresses that are the same are equal, and in which an account has its own.</summary>
    public static string Comparable(string text) => Typed(text).ToLowerInvariant();

    /// <summary>
    /// Whether mail can be sent to an address as <see cref="Typed"/> keeps it: exactly one mailbox and nothing around it, of lengths that SMTP carries, at the name of a host on the
    /// internet. The part before the @ may be quoted, and of any script (RFC 6531).
    /// </summary>
    public static bool CanBeSentTo(string address)
    {
        // The parser takes comments, blanks, routes and names of people too: what it leaves out of the address was not one.
        if (!MailboxAddress.TryParse(Strict, address, out var mailbox) || mailbox.Address != address || !LocalPart().IsMatch(mailbox.LocalPart)
            || Encoding.UTF8.GetByteCount(mailbox.LocalPart) > MaxLocalLength)
        {
            return false;
        }
        try
        {
            var ascii = HostNames.GetAscii(mailbox.Domain);
            return TopLevel().IsMatch(ascii) && HostNames.GetUnicode(ascii).Equals(mailbox.Domain, StringComparison.OrdinalIgnoreCase)
                && Encoding.UTF8.GetByteCount(mailbox.LocalPart) + 1 + ascii.Length <= MaxLength;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Whether it is a plain address that reads as nothing else: no quotes, no slashes, ASCII.</summary>
    public static bool IsPlain(string text) => Plain().IsMatch(text);

    private static string Domain(string domain)
    {
        if (!domain.Contains("xn--", StringComparison.OrdinalIgnoreCase))
        {
            return domain;
        }
        try
        {
            return TypedText.Of(Domains.GetUnicode(domain));
        }
        catch (ArgumentException)
        {
            // No such domain can be: it is told apart as it stands.
            return domain;
        }
    }

    /// <summary>Atoms joined by dots, or one quoted string; not the mixtures of both that SMTP doesn't know.</summary>
    [GeneratedRegex(@"^(?:[^""]+|""(?:[^""\\\p{Cc}]|\\[^\p{Cc}])+"")\z", RegexOptions.CultureInvariant)]
    private static partial Regex LocalPart();

    [GeneratedRegex(@"\.(?=[^.]*[A-Za-z-])[^.]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex TopLevel();

    [GeneratedRegex(@"^[A-Za-z0-9._+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Plain();
}
