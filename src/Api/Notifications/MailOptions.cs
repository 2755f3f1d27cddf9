namespace AgentPlatform.Api.Notifications;

/// <summary>How e-mail leaves the installation. Settings are named on each property. Without <c>SMTP_HOST</c> none does.</summary>
public sealed record MailOptions
{
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

    /// <summary>Its password (setting <c>SMTP_PASSWORD</c>).</summary>
    public string? Password { get; init; }

    /// <summary>The sender (setting <c>SMTP_FROM</c>): an address, or <c>Name &lt;address&gt;</c>.</summary>
    public string From { get; init; } = "";

    /// <summary>Longest time for one e-mail (setting <c>SMTP_TIMEOUT_SECONDS</c>, default 30).</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether e-mail is sent at all.</summary>
    public bool IsConfigured => Host is not null;

    /// <summary>Never the password.</summary>
    public override string ToString() => $"SMTP {Host}:{Port}";

    /// <summary>Reads the settings.</summary>
    /// <exception cref="InvalidOperationException">The settings can't work.</exception>
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
            var other => throw new InvalidOperationException($"SMTP_TLS is {other}; it must be starttls, implicit or none."),
        };
        var from = configuration["SMTP_FROM"] ?? "";
        if (!System.Net.Mail.MailAddress.TryCreate(from, out _))
        {
            throw new InvalidOperationException("SMTP_FROM must be the sender's address, such as AgentPlatform <platform@example.com>.");
        }
        if (configuration["CONSOLE_URL"] is null && configuration["PUBLIC_BASE_URL"] is null)
        {
            throw new InvalidOperationException("SMTP_HOST is set and PUBLIC_BASE_URL is not: links in e-mails would lead nowhere.");
        }
        return new()
        {
            Host = configuration["SMTP_HOST"],
            Tls = tls,
            Port = configuration.GetValue("SMTP_PORT", tls == MailTls.Implicit ? 465 : 587),
            User = configuration["SMTP_USER"],
            Password = configuration["SMTP_PASSWORD"],
            From = from,
            Timeout = TimeSpan.FromSeconds(configuration.GetValue("SMTP_TIMEOUT_SECONDS", 30)),
        };
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
