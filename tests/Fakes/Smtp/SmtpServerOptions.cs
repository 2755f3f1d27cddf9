using System.Collections.Immutable;

namespace AgentPlatform.Fakes.Smtp;

/// <summary>How the server is set up. A test may put others in their place while it runs.</summary>
public sealed record SmtpServerOptions(SmtpServerTls Tls = SmtpServerTls.None, string? User = null, string? Password = null)
{
    /// <summary>What it lists after AUTH, where it has a <see cref="User"/>: PLAIN, LOGIN, SCRAM-SHA-256, XOAUTH2 and OAUTHBEARER work, others are refused with 504.</summary>
    public ImmutableArray<string> Mechanisms { get; init; } = ["PLAIN", "LOGIN"];

    /// <summary>Of those that it lists, the ones that it refuses all the same, and with what.</summary>
    public ImmutableDictionary<string, string> Refusals { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The access token that it takes.</summary>
    public string? Token { get; init; }

    /// <summary>Largest message, in octets.</summary>
    public int MaxSize { get; init; } = 1_000_000;

    public bool OffersEightBit { get; init; }

    public bool OffersUtf8 { get; init; }

    public bool OffersPipelining { get; init; }

    /// <summary>The first try for each recipient is sent away with 451.</summary>
    public bool Greylists { get; init; }

    /// <summary>Puts a reply of its own making, in the clear, right behind its consent to STARTTLS, as somebody in between might.</summary>
    public bool InjectsAfterStartTls { get; init; }
}

/// <summary>What the server asks for.</summary>
public enum SmtpServerTls
{
    /// <summary>Nothing, and offers nothing.</summary>
    None,

    /// <summary>STARTTLS before anything else.</summary>
    StartTls,

    /// <summary>TLS from the first byte.</summary>
    Implicit,
}

/// <summary>Something that goes wrong with one command.</summary>
/// <param name="Command">The command's first word, <c>GREETING</c>, or <c>BODY</c> for the end of the data.</param>
/// <param name="Reply">What is answered instead, in one line or several; null to close the connection.</param>
/// <param name="Accept">Whether an e-mail counts as taken all the same.</param>
public sealed record SmtpFault(string Command, string? Reply, bool Accept = false)
{
    /// <summary>In the place of a reply: none ever comes.</summary>
    public const string Silence = "";
}
