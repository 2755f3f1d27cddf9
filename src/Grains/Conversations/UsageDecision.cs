using AgentPlatform.Billing;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Grains.Channels;

namespace AgentPlatform.Grains.Conversations;

/// <summary>
/// Decides what the organization's plan does to a conversation. One that waits for lack of quota is <c>escalated</c> and still managed by the AI, which no other way
/// leads to: so people see it among those that need them, and the AI goes on with the next message once it may. Pure.
/// </summary>
internal static class UsageDecision
{
    /// <summary>Messages came that expect an answer: the AI goes on, or the conversation begins to wait. A turn that is under way is finished in any case.</summary>
    public static ConversationState BeforeTurn(
        ConversationState state, ChannelSettings channel, AiAllowance allowance, List<NewMessage> rows, List<OutboxItem> toSend, DateTimeOffset now, Func<Guid> newId)
    {
        if (allowance.Permits(state.CountedMonth, now))
        {
            return IsWaiting(state) ? state with { Status = ConversationStatus.Active } : state;
        }
        return state.Turn is null && InboundDecision.IsAiActive(state, channel) ? Wait(state, allowance, rows, toSend, now, newId) : state;
    }

    /// <summary>The conversation waits for people; the customer is told once, where the organization wants it.</summary>
    public static ConversationState Wait(ConversationState state, AiAllowance allowance, List<NewMessage> rows, List<OutboxItem> toSend, DateTimeOffset now, Func<Guid> newId)
    {
        state = state with { Status = ConversationStatus.Escalated };
        if (allowance.StopMessage is not { Length: > 0 } text)
        {
            return state;
        }
        state = state with { LastSequence = state.LastSequence + 1, LastMessageAt = now, LastInteractionAt = now, LastMessagePreview = InboundDecision.Preview(text, ContentTypes.Text) };
        var content = new PreparedContent(ContentTypes.Text, text);
        var id = newId();
        rows.Add(CommandDecision.Outbound(id, state.LastSequence, "system", content, now));
        toSend.Add(new OutboxItem { MessageId = id, Sequence = state.LastSequence, IsAi = false, Content = content });
        return state;
    }

    /// <summary>True while the conversation waits for lack of quota.</summary>
    public static bool IsWaiting(ConversationState state) => state is { Status: ConversationStatus.Escalated, ManagedBy: ManagedBy.Ai };
}
