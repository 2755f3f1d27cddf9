using System.Globalization;

namespace AgentPlatform.Data.Texts;

/// <summary>
/// E-mail addresses. Two are the same whatever their case. Letters that only look alike stay apart, since an account hangs on them: they are composed (NFC), no more.
/// The database's <c>comparable_email</c> compares as <see cref="Comparable"/> does.
/// </summary>
public static class EmailAddress
{
    private static readonly IdnMapping Domains = new();

    /// <summary>What is kept of an address that people type: without invisible characters and spaces, the domain as its country writes it (<c>xn--mnchen-3ya.de</c> is <c>münchen.de</c>).</summary>
    public static string Typed(string text)
    {
        var address = TypedText.Identifier(text);
        return address.LastIndexOf('@') is >= 0 and var at ? address[..(at + 1)] + Domain(address[(at + 1)..]) : address;
    }

    /// <summary>The form in which two addresses that are the same are equal, and in which an account has its own.</summary>
    public static string Comparable(string text) => Typed(text).ToLowerInvariant();

    /// <summary>The address as every mail server takes it where it can be written so: with an ASCII domain.</summary>
    public static string ForMail(string address)
    {
        var at = address.LastIndexOf('@');
        try
        {
            return at < 0 ? address : address[..(at + 1)] + Domains.GetAscii(address[(at + 1)..]);
        }
        catch (ArgumentException)
        {
            return address;
        }
    }

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
}
