using AgentPlatform.Data;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.Auth;

/// <summary>How people get and keep their accounts. Settings are named on each property.</summary>
public sealed record AccountOptions
{
    /// <summary>Whether anybody may sign up with an organization of their own (setting <c>SIGN_UP</c>: <c>open</c> or <c>off</c>, default <c>open</c>).</summary>
    public bool IsSignUpOpen { get; init; } = true;

    /// <summary>Shortest password (setting <c>PASSWORD_MIN_LENGTH</c>, default 10, at least 8).</summary>
    public int PasswordMinLength { get; init; } = 10;

    /// <summary>How long an invitation can be accepted (setting <c>INVITATION_DAYS</c>, default 7).</summary>
    public TimeSpan InvitationLifetime { get; init; } = TimeSpan.FromDays(InvitationLimits.Days);

    /// <summary>How long a link for a new password works (setting <c>PASSWORD_RESET_MINUTES</c>, default 60).</summary>
    public TimeSpan ResetLifetime { get; init; } = TimeSpan.FromMinutes(60);

    /// <summary>
    /// Where people open links of invitations and resets (setting <c>CONSOLE_URL</c>, default <c>PUBLIC_BASE_URL</c>). Null: links in answers begin with
    /// the request's own address, and no e-mail can be sent.
    /// </summary>
    public Uri? ConsoleUrl { get; init; }

    /// <summary>How long a super admin stays in an organization that he entered (setting <c>SUPER_ADMIN_ENTRY_MINUTES</c>, default 60).</summary>
    public TimeSpan EntryLifetime { get; init; } = TimeSpan.FromMinutes(60);

    /// <summary>Invitations that one organization may make within a day (setting <c>INVITATIONS_PER_DAY</c>, default 200).</summary>
    public int InvitationsPerDay { get; init; } = 200;

    /// <summary>Accounts that may be made from one address within an hour (setting <c>SIGN_UPS_PER_HOUR</c>, default 10).</summary>
    public int SignUpsPerHour { get; init; } = 10;

    /// <summary>Reads the settings.</summary>
    /// <exception cref="SettingException">A setting has a value that means nothing.</exception>
    public static AccountOptions From(IConfiguration configuration)
    {
        var defaults = new AccountOptions();
        var minLength = configuration.Setting("PASSWORD_MIN_LENGTH", defaults.PasswordMinLength);
        var console = configuration["CONSOLE_URL"] ?? configuration["PUBLIC_BASE_URL"];
        return new()
        {
            IsSignUpOpen = configuration["SIGN_UP"] switch
            {
                null or "" or "open" => true,
                "off" => false,
                var other => throw new SettingException($"SIGN_UP is {other}; it must be open or off."),
            },
            PasswordMinLength = minLength is >= 8 and <= AuthOptions.MaxPasswordLength
                ? minLength
                : throw new SettingException($"PASSWORD_MIN_LENGTH is {minLength}; it must be from 8 to {AuthOptions.MaxPasswordLength}."),
            InvitationLifetime = TimeSpan.FromDays(configuration.Setting("INVITATION_DAYS", defaults.InvitationLifetime.TotalDays)),
            ResetLifetime = TimeSpan.FromMinutes(configuration.Setting("PASSWORD_RESET_MINUTES", defaults.ResetLifetime.TotalMinutes)),
            EntryLifetime = TimeSpan.FromMinutes(configuration.Setting("SUPER_ADMIN_ENTRY_MINUTES", defaults.EntryLifetime.TotalMinutes)),
            ConsoleUrl = Uri.TryCreate(console, UriKind.Absolute, out var url) ? url : null,
            InvitationsPerDay = configuration.Setting("INVITATIONS_PER_DAY", defaults.InvitationsPerDay),
            SignUpsPerHour = configuration.Setting("SIGN_UPS_PER_HOUR", defaults.SignUpsPerHour),
        };
    }
}
