using AgentPlatform.Data;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Silo.Demo;

/// <summary>Whether the demo organization is loaded, and who signs in to it.</summary>
public sealed record DemoOptions
{
    /// <summary>Load the demo organization into an empty database (the argument <c>--demo</c>, or setting <c>DEMO_DATA</c>; default false).</summary>
    public bool IsWanted { get; init; }

    /// <summary>E-mail address of the demo's admin (setting <c>DEMO_ADMIN_EMAIL</c>). A demo that is there already takes a new one over.</summary>
    public string AdminEmail { get; init; } = "admin@soul.example";

    /// <summary>Password of the demo's admin and managers (setting <c>DEMO_ADMIN_PASSWORD</c>, which <c>./run</c> makes). The admin's follows the setting later, too.</summary>
    public required string AdminPassword { get; init; }

    /// <summary>Reads the settings.</summary>
    /// <exception cref="SettingException">The demo is wanted, but no password is set: there is no default that everyone knows.</exception>
    public static DemoOptions From(IConfiguration configuration, string[] arguments)
    {
        var isWanted = arguments.Contains("--demo", StringComparer.Ordinal) || configuration.Setting("DEMO_DATA", false);
        var password = configuration["DEMO_ADMIN_PASSWORD"];
        if (isWanted && string.IsNullOrEmpty(password))
        {
            throw new SettingException("DEMO_ADMIN_PASSWORD is not set. Set it to the password of the demo's admin, or start with ./run, which makes one.");
        }
        var options = new DemoOptions { IsWanted = isWanted, AdminPassword = password ?? "" };
        return EmailAddress.Comparable(configuration["DEMO_ADMIN_EMAIL"] ?? "") is { Length: > 0 } email ? options with { AdminEmail = email } : options;
    }
}
