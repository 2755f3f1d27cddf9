using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Agents;

/// <summary>What agents remember of clients.</summary>
internal static class AgentMemoryResource
{
    public static readonly Resource AgentMemories = new()
    {
        Path = "agent-memories",
        Singular = "agentMemory",
        Plural = "agentMemories",
        Table = "agent_memories",
        Description = "What agents remember of a client beyond one conversation, one value for each key.",
        Import = new() { Kept = ["createdAt"] },
        Create = Role.Member,
        Update = Role.Member,
        Delete = Role.Member,
        Fields =
        [
            Reference("clientId", "clients").Required().Fixed().Filtered(),
            Reference("agentId", "agents").Nullable().Fixed().Filtered().About("Only this agent remembers it; null for every agent."),
            Reference("conversationId", "conversations").Nullable().Fixed().About("Where it was learned."),
            Choice("kind", "fact", "preference", "event", "summary").WithDefault("fact").Filtered(),
            Identifier("key", 100).Required().Fixed().Filtered().Sorted(),
            Prose("content", 4000).Required().Searched(),
            Number("confidence", 0, 1, 2).WithDefault(1),
            Timestamp("expiresAt").Nullable().Ranged(),
        ],
        Example = new() { ["clientId"] = "0196f1c0-7d00-7c3e-9a55-5f0c1b2a3d4e", ["kind"] = "preference", ["key"] = "food", ["content"] = "Eats no meat." },
        Uniques = [new("one_memory_per_client_agent_and_key", "key", "There is a memory with this key: change it.")],
    };
}
