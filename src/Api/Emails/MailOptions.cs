using AgentPlatform.Data;
using MimeKit;

namespace AgentPlatform.Api.Emails;

/// <summary>How e-mail leaves the installation. Settings are named on each property. Without <c>SMTP_HOST</c> none does.</summary>
public sealed record MailOptions
{
    private static readonly ParserOptions SenderRules = new() { AllowAddressesWithoutDomain = false };

    /// <summary>The mail server (setting <c>SMTP_HOST</c>); null for no e-mail.</summary>
    public string? Host { get; init; }

    /// <summary>Its port (setting <c>SMTP_PORT</c>, default 587, or 465 where <c>SMTP_TLS</c> is <c>implicit</c>).</summary>
    public int Port { get; init; } = 587;

    /// <summary>
    /// How the connection is made safe (setting <c>SMTP_TLS</c>): <c>starttls</c> (default; refused when the server has none), <c>implicit</c> from the
    /// first byte, or <c>none</c> for a server on the same machine.
    /// </summary>
    public MailTls Tls { get; init; } = MailTls.StartTls;

    /// <summary>The sign-in (setting <c>SMTP_USER</c>); null for a server that asks for none.</summary>
    public string? User { get; init; }

    /// <summary>Its password (setting <c>SMTP_PASSWORD</c>), for PLAIN, LOGIN, SCRAM and CRAM-MD5.</summary>
    public string? Password { get; init; }

    /// <summary>Where access tokens come from in place of a password, for XOAUTH2 and OAUTHBEARER; null for a password.</summary>
    public MailOAuthOptions? OAuth { get; init; }

    /// <summary>The sender (setting <c>SMTP_FROM</c>): an address, or <c>Name &lt;address&gt;</c>.</summary>
    public string From { get; init; } = "";

    /// <summary>By which name it greets the server (setting <c>SMTP_EHLO_NAME</c>, default the host of <c>PUBLIC_BASE_URL</c>).</summary>
    public string? EhloName { get; init; }

    /// <summary>Longest time for one e-mail (setting <c>SMTP_TIMEOUT_SECONDS</c>, default 30).</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Wait before the second try of an e-mail; doubles (setting <c>SMTP_FIRST_RETRY_SECONDS</c>, default 15).</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Longest wait between two tries (setting <c>SMTP_LONGEST_RETRY_MINUTES</c>, default 60).</summary>
    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromMinutes(60);

    /// <summary>Most tries within a minute, over all processes (setting <c>SMTP_MAILS_PER_MINUTE</c>); null for no limit.</summary>
    public int? MailsPerMinute { get; init; }

    /// <summary>Most notifications that go by e-mail for one organization within a day (setting <c>ALERT_MAILS_PER_DAY</c>, default 1000).</summary>
    public int AlertsPerDay { get; init; } = 1000;

    /// <summary>Most invitations that go by e-mail to one address within a day, from whichever organizations (setting <c>INVITATION_MAILS_PER_RECIPIENT_PER_DAY</c>, default 5).</summary>
    public int InvitationsPerRecipientPerDay { get; init; } = 5;

    /// <summary>Whether e-mail is sent at all.</summary>
    public bool IsConfigured => Host is not null;

    /// <summary><see cref="From"/>, read.</summary>
    internal MailboxAddress Sender => MailboxAddress.Parse(SenderRules, From);

    /// <summary>Never the password.</summary>
    public override string ToString() => $"SMTP {Host}:{Port}";

    /// <summary>Reads the settings.</summary>
    /// <exception cref="SettingException">The settings can't work.</exception>
    public static MailOptions Read(IConfiguration configuration)
    {
        if (string.IsNullOrWhiteSpace(configuration["SMTP_HOST"]))
        {
            return new();
        }
        var tls = configuration["SMTP_TLS"] switch
        {
            null or "" or "starttls" => MailTls.StartTls,
            "implicit" => MailTls.Implicit,
            "none" => MailTls.None,
            var other => throw new SettingException($"SMTP_TLS is {other}; it must be starttls, implicit or none."),
        };
        var from = configuration["SMTP_FROM"] ?? "";
        if (!MailboxAddress.TryParse(SenderRules, from, out _))
        {
            throw new SettingException("SMTP_FROM must be the sender's address, such as AgentPlatform <platform@example.com>.");
        }
        if ((configuration["PUBLIC_BASE_URL"] ?? configuration["CONSOLE_URL"]) is not { } publicUrl)
        {
            throw new SettingException("SMTP_HOST is set and PUBLIC_BASE_URL is not: links in e-mails would lead nowhere.");
        }
        var oauth = MailOAuthOptions.Read(configuration);
        var user = Given("SMTP_USER");
        if (oauth is not null && (user is null || Given("SMTP_PASSWORD") is not null))
        {
            throw new SettingException("SMTP_OAUTH_TOKEN_URL needs SMTP_USER, the mailbox that is signed in to, and stands in place of SMTP_PASSWORD.");
        }
        var defaults = new MailOptions();
        return new()
        {
            Host = configuration["SMTP_HOST"],
            Tls = tls,
            Port = configuration.Setting("SMTP_PORT", tls == MailTls.Implicit ? 465 : 587),
            User = user,
            Password = Given("SMTP_PASSWORD"),
            OAuth = oauth,
            From = from,
            EhloName = Given("SMTP_EHLO_NAME") ?? (Uri.TryCreate(publicUrl, UriKind.Absolute, out var url) ? url.IdnHost : null),
            Timeout = TimeSpan.FromSeconds(AtLeastOne("SMTP_TIMEOUT_SECONDS", (int)defaults.Timeout.TotalSeconds)),
            FirstRetry = TimeSpan.FromSeconds(AtLeastOne("SMTP_FIRST_RETRY_SECONDS", (int)defaults.FirstRetry.TotalSeconds)),
            LongestRetry = TimeSpan.FromMinutes(AtLeastOne("SMTP_LONGEST_RETRY_MINUTES", (int)defaults.LongestRetry.TotalMinutes)),
            MailsPerMinute = Given("SMTP_MAILS_PER_MINUTE") is null ? null : AtLeastOne("SMTP_MAILS_PER_MINUTE", 1),
            AlertsPerDay = AtLeastOne("ALERT_MAILS_PER_DAY", defaults.AlertsPerDay),
            InvitationsPerRecipientPerDay = AtLeastOne("INVITATION_MAILS_PER_RECIPIENT_PER_DAY", defaults.InvitationsPerRecipientPerDay),
        };

        string? Given(string name) => configuration[name] is { Length: > 0 } value ? value : null;

        int AtLeastOne(string name, int otherwise) =>
            configuration.Setting(name, otherwise) is > 0 and var value ? value : throw new SettingException($"{name} is {configuration[name]}; it must be 1 or more.");
    }
}

/// <summary>How the connection to the mail server is made safe.</summary>
public enum MailTls
{
    /// <summary>It begins in the clear and turns to TLS before anything is said.</summary>
    StartTls,

    /// <summary>TLS from the first byte.</summary>
    Implicit,

    /// <summary>In the clear.</summary>
    None,
}
