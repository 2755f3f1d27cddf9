using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Agents;

/// <summary>Configured AIs.</summary>
internal static class AgentResource
{
    public static readonly string[] Types = ["communication", "qualification", "product_selection", "warming", "sales", "service", "feedback"];

    public static readonly Resource Agents = new()
    {
        Path = "agents",
        KnownBy = ["name"],
        Singular = "agent",
        Plural = "agents",
        Table = "agents",
        Description = "Configured AIs. An agent answers in the channels that name it, while its status is `active`; the organization's default agent in those that name none.",
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Admin,
        Fields =
        [
            Name("name").Required().Sorted().Searched(),
            Text("description", 4000).Nullable().Searched(),
            Matching("key", "^[a-z0-9][a-z0-9_.-]{0,99}$", "1 to 100 of a-z 0-9 _ . -, beginning with a letter or digit", "main_sales_agent", 100).Nullable().Filtered()
                .About("A name for scripts; unique in the channel that the agent belongs to, or among the agents of no channel."),
            Reference("channelId", "channels").Nullable().Filtered().About("The agent belongs to this channel: no other may name it, and it goes with it."),
            Reference("connectionId", "crm_connections").Nullable().Filtered().About("The other CRM whose leads it works with."),
            Choice("agentType", Types).WithDefault("communication").Filtered(),
            Choice("domain", "healthcare", "retail", "finance", "realestate", "hospitality", "other").WithDefault("other").Filtered(),
            Choice("status", "draft", "active", "inactive", "archived").WithDefault("draft").Filtered().About("Only an active agent answers."),
            Reference("personaId", "personas").Nullable().Filtered(),
            Reference("llmModelId", "llm_models").Nullable().About("The model that answers; without one the built-in responder does."),
            Reference("fallbackModelId", "llm_models").Nullable().About("The model to ask when the first fails."),
            Text("defaultModel", 200).Nullable(),
            Tags("goals", 20, 500),
            Tags("channels", 20, 50),
            Text("ownerName", 200).Nullable(),
            Url("avatarUrl").Nullable(),
            Text("instructions", 50_000).Nullable(),
            Text("systemPrompt", 50_000).Nullable(),
            Number("temperature", 0, 2, 2).WithDefault(0.7),
            Integer("maxTokens", 1, 1_000_000).WithDefault(2048),
            Integer("responseDelaySeconds", 0, 3600).WithDefault(0).About("How long to wait for more messages before answering."),
            Choice("onNewMessage", "restart", "queue").WithDefault("restart").About("What a new message does to an answer under way."),
            Long("messagesTotal").ReadOnly(),
            Timestamp("lastActivityAt").Nullable().ReadOnly(),
            AgentSettings.Field(),
        ],
        Example = new()
        {
            ["name"] = "Sales",
            ["key"] = "main_sales_agent",
            ["agentType"] = "sales",
            ["systemPrompt"] = "You sell tours.",
            ["settings"] = new JsonObject
            {
                ["checkBeforeSending"] = true,
                ["knowledgeBaseConfig"] = new JsonObject { ["answersFromKnowledgeOnly"] = true, ["maxPassages"] = 5 },
                ["advancedSettings"] = new JsonObject { ["historyMessages"] = 30 },
            },
        },
        Uniques =
        [
            new("one_agent_per_type_and_name", "name", "There is an agent of this type with this name."),
            new("agents_one_per_key_in_channel", "key", "An agent of this channel has this key."),
            new("agents_one_per_key", "key", "Another agent has this key."),
        ],
        Checks = [new("agent_of_another_channel_is_not_named", "channelId", "/channelId must be the channel that names the agent.")],
        BeforeWrite = async change =>
        {
            if (await AgentSettings.Check(change) is { } problem)
            {
                return problem;
            }
            StoredSettings.Merge(change, "settings");
            return null;
        },
    };
}
