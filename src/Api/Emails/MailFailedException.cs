using System.Text.RegularExpressions;

namespace AgentPlatform.Api.Emails;

/// <summary>An e-mail that the mail server didn't take.</summary>
/// <param name="reason">What the server answered, or why it could not be asked, in words that somebody can act on.</param>
/// <param name="kind">What that means for this e-mail and for others.</param>
/// <param name="cause">What went wrong underneath.</param>
internal sealed partial class MailFailedException(string reason, MailFailureKind kind, Exception? cause = null) : IOException(OneLine(reason), cause)
{
    public MailFailureKind Kind { get; } = kind;

    /// <summary>What a server said in several lines, or with what can't be stored.</summary>
    public static string OneLine(string said) => Blanks().Replace(said, " ").Trim();

    [GeneratedRegex(@"[\p{Cc}\p{Z}]+", RegexOptions.CultureInvariant)]
    private static partial Regex Blanks();
}

/// <summary>What a failure means.</summary>
internal enum MailFailureKind
{
    /// <summary>This e-mail will never be taken.</summary>
    Final,

    /// <summary>It may be taken later.</summary>
    Passing,

    /// <summary>There is no connection, or no sign-in: no other e-mail would fare better now.</summary>
    NoConnection,
}
