using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Channels;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Automation;

/// <summary>Single reactions.</summary>
internal static class AutomationRuleResource
{
    public static readonly string[] Triggers = ["lead_created", "lead_updated", "message_received", "stage_changed", Schedules.TimeBased, "manual"];

    public static readonly Resource AutomationRules = new()
    {
        Path = "automation-rules",
        Singular = "automationRule",
        Plural = "automationRules",
        Table = "automation_rules",
        Description = "Single reactions: when something happens and all conditions hold, the actions are done in order. Of several rules the one with the highest priority comes first.",
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Manager,
        DefaultSort = "-priority",
        Fields =
        [
            Reference("agentId", "agents").Nullable().Filtered().About("Only where this agent is in charge; null for any."),
            Name("name").Required().Sorted().Searched(),
            Text("description", 4000).Nullable(),
            Choice("triggerType", Triggers).Required().Filtered(),
            new Field("conditions", ConditionType.List).About("All must hold; none for always."),
            new Field("actions", new ListType(Actions.Type, Actions.MaxActions)).About("Done in this order. An active rule has at least one."),
            Schedules.Schedule(),
            Flag("isActive").WithDefault(true).Filtered(),
            Integer("priority", -1000, 1000).WithDefault(0).Sorted(),
            Integer("cooldownMinutes", 0, 525_600).Nullable().About("How long it rests for a conversation after it has acted."),
            Integer("maxExecutionsPerDay", 1, 1_000_000).Nullable(),
            Json("metadata"),
        ],
        Example = new()
        {
            ["name"] = "Hot leads to a person",
            ["triggerType"] = "message_received",
            ["conditions"] = new JsonArray(new JsonObject { ["field"] = "client.leadScore", ["operator"] = "at_least", ["value"] = 80 }),
            ["actions"] = new JsonArray(
                new JsonObject { ["type"] = "add_tag", ["tag"] = "hot" },
                new JsonObject { ["type"] = "hand_over" }),
            ["cooldownMinutes"] = 60,
        },
        Checks = [new("active_rule_does_something", "actions", "/actions must have at least one action while the rule is active.")],
        BeforeWrite = change => Task.FromResult(change.IsDeletion ? null : Schedules.Check(change) ?? EndpointCheck.Refusal(change)),
    };
}
