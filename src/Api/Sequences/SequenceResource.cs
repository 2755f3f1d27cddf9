using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Automation;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Sequences;

/// <summary>Timed series of steps.</summary>
internal static class SequenceResource
{
    public static readonly Resource Sequences = new()
    {
        Path = "sequences",
        Singular = "sequence",
        Plural = "sequences",
        Table = "sequences",
        Description = "Timed series of steps that a client goes through once something has happened. The steps are a resource of their own.",
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Manager,
        Fields =
        [
            Reference("agentId", "agents").Nullable().Filtered().About("Who speaks; null for the channel's agent."),
            Name("name").Required().Sorted().Searched(),
            Text("description", 4000).Nullable(),
            Choice("triggerType", AutomationRuleResource.Triggers).Required().Filtered(),
            ConditionType.Group("triggerConditions").About("Who is taken in when it happens; nothing given for everybody."),
            Flag("isActive").WithDefault(true).Filtered(),
            Integer("stepCount").ReadOnly() with { Expression = "(SELECT count(*)::int FROM sequence_steps s WHERE s.organization_id = t.organization_id AND s.sequence_id = t.id)" },
            Json("metadata"),
        ],
        Example = new()
        {
            ["name"] = "After the first question",
            ["triggerType"] = "lead_created",
            ["triggerConditions"] = new JsonObject
            {
                ["match"] = "all",
                ["conditions"] = new JsonArray(new JsonObject { ["field"] = "client.status", ["operator"] = "equals", ["value"] = "new_lead" }),
            },
        },
    };
}
