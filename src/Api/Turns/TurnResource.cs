using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Turns;

/// <summary>What an agent saw and did, round by round: the answer to "why did it say that?".</summary>
internal static class TurnResource
{
    public static readonly Resource Turns = new()
    {
        Path = "turns",
        Singular = "turn",
        Plural = "turns",
        Table = "turns",
        HasVersion = false,
        Parent = new("conversations", "conversations", "conversation_id"),
        Description = "Rounds of the agent in a conversation, newest first. One alone also tells its prompt, passages and tool calls.",
        Fields =
        [
            Reference("conversationId", "conversations").ReadOnly(),
            Reference("agentId", "agents").Nullable().ReadOnly(),
            Choice("state", "settling", "running", "completed", "failed", "cancelled").ReadOnly().Filtered(),
            Choice("outcome", "replied", "silent", "escalated", "fallback", "superseded", "taken_over").Nullable().ReadOnly().Filtered(),
            Choice("responder", "model", "built_in", "keyword").Nullable().ReadOnly().Filtered().About("`built_in` answers from the knowledge base where no model is configured."),
            Text("provider", 100).Nullable().ReadOnly(),
            Text("model", 200).Nullable().ReadOnly(),
            Reference("promptVariantId", "prompt_variants").Nullable().ReadOnly(),
            Integer("attempt").ReadOnly(),
            Integer("epoch").ReadOnly(),
            Long("firstSequence").ReadOnly().About("The messages that it answers: from here"),
            Long("lastSequence").ReadOnly().About("to here, both included."),
            AnyJson("prompt").Nullable().ReadOnly().Detail().About("Exactly what the model was given: `[{role, content}]`."),
            AnyJson("passages").Nullable().ReadOnly().Detail().About("What was found in the knowledge base, with scores."),
            AnyJson("toolCalls").Nullable().ReadOnly().Detail(),
            Integer("inputTokens").ReadOnly(),
            Integer("outputTokens").ReadOnly(),
            Flag("tokensEstimated").ReadOnly(),
            Number("cost", 0, 999_999, 6).ReadOnly().About("US dollars."),
            Json("timings").Nullable().ReadOnly().About("Milliseconds by step."),
            Text("error", 4000).Nullable().ReadOnly(),
            Text("traceId", 100).Nullable().ReadOnly(),
            Timestamp("dueAt").ReadOnly(),
            Timestamp("startedAt").Nullable().ReadOnly(),
            Timestamp("finishedAt").Nullable().ReadOnly(),
        ],
    };
}
