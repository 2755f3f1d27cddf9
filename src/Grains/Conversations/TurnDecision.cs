using AgentPlatform.Billing;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Channels;

namespace AgentPlatform.Grains.Conversations;

/// <summary>Decides what becomes of a turn. Pure.</summary>
internal static class TurnDecision
{
    /// <summary>
    /// The agent's answer is committed: its messages wait to be sent, the turn ends with its record. Returns null when the answer is out of
    /// date (a newer try, a newer epoch): then nothing of it is kept.
    /// </summary>
    public static ConversationPlan? Complete(
        ConversationState state, Guid turnId, int attempt, TurnResult result, IChannelConnector connector, ChannelSettings channel, DateTimeOffset now, Func<Guid> newId)
    {
        if (state.Turn is not { } turn || turn.Id != turnId || turn.Attempt != attempt || turn.Epoch != state.Epoch)
        {
            return null;
        }
        if (!InboundDecision.IsAiActive(state, channel))
        {
            return Stop(state, turn, now);
        }
        var next = state with { Turn = null };
        var rows = new List<NewMessage>();
        var toSend = new List<OutboxItem>();
        var error = result.Record.Error;
        foreach (var reply in result.Replies)
        {
            var content = connector.Prepare(reply);
            if (content.Error is { } reason)
            {
                error = error is null ? reason : $"{error}; {reason}";
                continue;
            }
            foreach (var part in content.Parts)
            {
                var id = newId();
                next = next with
                {
                    LastSequence = next.LastSequence + 1,
                    LastMessageAt = now,
                    LastInteractionAt = now,
                    LastMessagePreview = InboundDecision.Preview(part.Text, part.ContentType),
                };
                rows.Add(CommandDecision.Outbound(id, next.LastSequence, "ai", part, now) with { TurnId = turnId });
                toSend.Add(new OutboxItem { MessageId = id, Sequence = next.LastSequence, IsAi = true, Content = part, TraceId = turn.TraceId });
            }
        }
        if (result.Escalate)
        {
            next = next with { Status = ConversationStatus.Escalated, ManagedBy = ManagedBy.Human };
        }
        var record = result.Record;
        var isCompleted = error is null || rows.Count > 0;
        var month = AiAllowance.MonthOf(now);
        var counts = isCompleted && state.CountedMonth != month;
        next = counts ? next with { CountedMonth = month } : next;
        var row = turn.Ended(isCompleted ? "completed" : "failed", result.Outcome, now) with
        {
            Responder = record.Responder,
            Provider = record.Provider,
            Model = record.Model,
            PromptVariantId = record.PromptVariantId,
            Prompt = record.Prompt,
            Passages = record.Passages,
            ToolCalls = record.ToolCalls,
            InputTokens = record.InputTokens,
            OutputTokens = record.OutputTokens,
            TokensEstimated = record.TokensEstimated,
            Cost = record.Cost,
            Timings = record.Timings,
            Error = error,
        };
        return new ConversationPlan
        {
            Next = next with { Version = state.Version + 1 },
            ToSend = toSend,
            Commit = Commit(state, next, rows, row) with { CountsConversation = counts },
        };
    }

    /// <summary>
    /// Messages that queued behind a turn become the next one; the rows of the ended turn are committed already. Returns null when there are
    /// none or the AI is not to answer.
    /// </summary>
    public static ConversationPlan? StartQueued(
        ConversationState state, long firstSequence, ChannelSettings channel, AiAllowance allowance, Guid instanceId, DateTimeOffset now, Func<Guid> newId, string? traceId)
    {
        if (state.Turn is not null || firstSequence > state.LastSequence || !InboundDecision.IsAiActive(state, channel))
        {
            return null;
        }
        if (!allowance.Permits(state.CountedMonth, now))
        {
            return Wait(state, null, allowance, now, newId);
        }
        var turn = new TurnState
        {
            Id = newId(),
            AgentId = state.AgentId ?? channel.AgentId!.Value,
            Attempt = 1,
            Epoch = state.Epoch,
            FirstSequence = firstSequence,
            LastSequence = state.LastSequence,
            DueAt = now,
            FirstDueAt = now,
            StartedAt = now,
            TraceId = traceId,
        };
        var next = state with { Turn = turn };
        return new ConversationPlan { Next = next with { Version = state.Version + 1 }, Commit = Commit(state, next, [], turn.ToRow(instanceId)) };
    }

    /// <summary>
    /// A turn that starts now: settling is over, or another silo left it behind. It answers everything that is there; the attempt rises, so
    /// that the result of an earlier try can't be taken for this one's.
    /// </summary>
    public static ConversationPlan Start(
        ConversationState state, TurnState turn, ChannelSettings channel, AiAllowance allowance, Guid instanceId, DateTimeOffset now, Func<Guid> newId, bool isRepeated)
    {
        if (!InboundDecision.IsAiActive(state, channel))
        {
            return Stop(state, turn, now);
        }
        if (!allowance.Permits(state.CountedMonth, now))
        {
            return Wait(state, turn, allowance, now, newId);
        }
        // One that was still settling goes on settling.
        var started = turn with { StartedAt = turn.DueAt > now ? null : now, Attempt = isRepeated ? turn.Attempt + 1 : turn.Attempt, LastSequence = Math.Max(turn.LastSequence, state.LastSequence) };
        var next = state with { Turn = started };
        return new ConversationPlan { Next = next with { Version = state.Version + 1 }, Commit = Commit(state, next, [], started.ToRow(instanceId)) };
    }

    /// <summary>The AI was switched off while the turn was under way: nothing of it is kept.</summary>
    private static ConversationPlan Stop(ConversationState state, TurnState turn, DateTimeOffset now)
    {
        var stopped = state with { Turn = null };
        return new ConversationPlan
        {
            Next = stopped with { Version = state.Version + 1 },
            StopsTurn = true,
            Commit = Commit(state, stopped, [], turn.Ended("cancelled", "taken_over", now)),
        };
    }

    /// <summary>The organization's plan stops the AI before the turn has begun: the conversation waits for people.</summary>
    private static ConversationPlan Wait(ConversationState state, TurnState? turn, AiAllowance allowance, DateTimeOffset now, Func<Guid> newId)
    {
        var rows = new List<NewMessage>();
        var toSend = new List<OutboxItem>();
        var next = UsageDecision.Wait(state with { Turn = null }, allowance, rows, toSend, now, newId);
        return new ConversationPlan
        {
            Next = next with { Version = state.Version + 1 },
            StopsTurn = turn is not null,
            ToSend = toSend,
            Commit = Commit(state, next, rows, turn?.Ended("cancelled", "escalated", now)),
        };
    }

    /// <summary>The silo stops: the turn is left for whoever takes it up.</summary>
    public static ConversationCommit Release(ConversationState state, TurnState turn) => Commit(state, state, [], turn.ToRow(null));

    private static ConversationCommit Commit(ConversationState state, ConversationState next, IReadOnlyList<NewMessage> messages, TurnRow? row) => new()
    {
        ConversationId = state.Id,
        OrganizationId = state.OrganizationId,
        ChannelId = state.ChannelId,
        ContactId = state.ContactId,
        Advance = next.ToAdvance(state.Version),
        Messages = messages,
        Turn = row,
    };
}
