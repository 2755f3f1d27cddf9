using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Channels;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Data.Secrets;
using Npgsql;
using NpgsqlTypes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Agents;

/// <summary>What agents work with outside of this product.</summary>
internal static class AgentIntegrationResource
{
    public static readonly Resource AgentIntegrations = new()
    {
        Path = "agent-integrations",
        Singular = "agentIntegration",
        Plural = "agentIntegrations",
        Table = "agent_integrations",
        Description = "What agents work with outside of this product: another CRM, a webhook, a server of tools (MCP). The secret goes in and never comes out.",
        Create = Role.Admin,
        Update = Role.Admin,
        Delete = Role.Admin,
        Fields =
        [
            Reference("agentId", "agents").Required().Fixed().Filtered(),
            Choice("kind", "crm", "webhook", "mcp").Required().Fixed().Filtered(),
            Name("name").Required().Sorted().Searched(),
            Reference("connectionId", "crm_connections").Nullable().Filtered().About("The other CRM; exactly for `crm`."),
            Url("url").Nullable().Called().About("Exactly for `webhook` and `mcp`."),
            HeaderSecret("secret").Secret().About("What calls are authenticated with."),
            Flag("hasSecret").ReadOnly() with { Expression = "(t.secret IS NOT NULL)" },
            Tags("tools", 100, 100).About("What the agent may use of it; empty for everything."),
            Flag("isActive").WithDefault(true).Filtered(),
        ],
        Example = new() { ["agentId"] = "0196f1c0-7d00-7c3e-9a55-5f0c1b2a3d4e", ["kind"] = "webhook", ["name"] = "Bookings", ["url"] = "https://example.com/bookings", ["secret"] = "secret" },
        Uniques = [new("agent_has_an_integration_once", "agentId", "The agent has this integration.")],
        BeforeWrite = change => Task.FromResult(change.IsDeletion ? null : Check(change) ?? EndpointCheck.Refusal(change) ?? CheckAddress(change) ?? Seal(change)),
    };

    private static Problem? Check(ResourceChange change)
    {
        var isCrm = change.Resulting<string>("kind") == "crm";
        var hasConnection = change.Values.Has("connectionId") ? change.Values.Id("connectionId") is not null : change.Before?.Raw("connectionId") is not null;
        return hasConnection != isCrm ? Problem.Invalid("/connectionId", "/connectionId must be given for crm, and only for it.")
            : change.Resulting<string>("url") is null != isCrm ? Problem.Invalid("/url", "/url must be given for webhook and mcp, and only for them.")
            : null;
    }

    private static Problem? CheckAddress(ResourceChange change) => change.Before is { } before && change.Values.Text("url") is { } url
        ? SecretAddress.Refuses("/url", before.Get<string>("url"), url, "/secret", change.Values.Has("secret") || !before.Get<bool>("hasSecret"))
        : null;

    private static Problem? Seal(ResourceChange change)
    {
        if (change.Values.Text("secret") is { } secret)
        {
            change.Values.Remove("secret");
            change.Columns["secret"] = new NpgsqlParameter { Value = change.Request.Service<SecretBox>().SealText(change.Caller.OrganizationId, SealedColumns.IntegrationSecret, secret), NpgsqlDbType = NpgsqlDbType.Text };
            change.ChangedSecrets.Add("secret");
        }
        return null;
    }
}
