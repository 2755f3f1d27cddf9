using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Auth;

/// <summary>An installation whose limits on accounts are out of the tests' way.</summary>
public sealed class PeopleApp : ApiApp
{
    protected override Dictionary<string, string?> Settings() => new(base.Settings())
    {
        ["SIGN_UPS_PER_HOUR"] = "100000",
        ["API_HEARTBEAT_SECONDS"] = "3600",
        ["PUBLIC_BASE_URL"] = "https://platform.example.com",
    };
}
