using System.Text.Json;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Grains.Channels;

namespace AgentPlatform.Grains.Conversations;

/// <summary>Decides what a member's command does to a conversation. Pure.</summary>
internal static class CommandDecision
{
    /// <summary>A person writes: the conversation is theirs, the AI's waiting messages are withdrawn, the turn under way stops.</summary>
    public static ConversationPlan Send(ConversationState state, SendMessage command, ContentParts content, DateTimeOffset now, Func<Guid> newId)
    {
        var taken = TakenOver(state, command.Actor.UserId);
        var rows = new List<NewMessage>();
        var toSend = new List<OutboxItem>();
        foreach (var part in content.Parts)
        {
            var id = rows.Count == 0 ? command.MessageId : newId();
            taken = taken with { LastSequence = taken.LastSequence + 1 };
            rows.Add(Outbound(id, taken.LastSequence, "agent", part, now) with { SenderId = command.Actor.UserId });
            toSend.Add(new OutboxItem { MessageId = id, Sequence = taken.LastSequence, IsAi = false, Content = part });
        }
        taken = InboundDecision.Shown(taken, InboundDecision.Preview(content.Parts[^1].Text, content.Parts[^1].ContentType), now);
        var next = Reactivated(taken) with { UnreadCount = 0 };
        var audit = Audit(state, next, command.Actor, "conversation.message_sent", newId);
        return Plan(state, next, now, marksRead: state.UnreadCount > 0, rows, audit) with { ToSend = toSend, WithdrawsAiMessages = true };
    }

    /// <summary>Every other command; null when it changes nothing.</summary>
    public static ConversationPlan? Change(ConversationState state, ConversationChange change, DateTimeOffset now, Func<Guid> newId)
    {
        var rows = new List<NewMessage>();
        var next = change.Action switch
        {
            ConversationAction.TakeOver => Reactivated(TakenOver(state, change.Actor.UserId)),
            ConversationAction.Release => state with { ManagedBy = ManagedBy.Ai, AssignedTo = null, Status = state.Status == ConversationStatus.Escalated ? ConversationStatus.Active : state.Status },
            ConversationAction.Assign => state with { AssignedTo = change.AssigneeId },
            // A resolved conversation goes back to the AI, so that the customer's next message is answered.
            ConversationAction.Resolve => state with { Status = ConversationStatus.Completed, ManagedBy = ManagedBy.Ai, EndedAt = now, UnreadCount = 0 },
            ConversationAction.Archive => state with { Status = ConversationStatus.Archived, ManagedBy = ManagedBy.Ai, EndedAt = state.EndedAt ?? now, UnreadCount = 0 },
            ConversationAction.Reopen => Reactivated(state),
            ConversationAction.MarkRead => state with { UnreadCount = 0 },
            ConversationAction.EnableAi => state with { AiEnabled = true },
            ConversationAction.DisableAi => state with { AiEnabled = false },
            ConversationAction.Mute => state with { IsMuted = true },
            ConversationAction.Unmute => state with { IsMuted = false },
            ConversationAction.Block => state with { IsBlocked = true, UnreadCount = 0 },
            ConversationAction.Unblock => state with { IsBlocked = false },
            ConversationAction.Vacate => state.AssignedTo == change.AssigneeId ? Vacated(state) : state,
            ConversationAction.Note => state with { LastSequence = state.LastSequence + 1 },
            _ => throw new ArgumentOutOfRangeException(nameof(change), change.Action, "Not a conversation action."),
        };
        if (next == state)
        {
            return null;
        }
        if (change.Action == ConversationAction.Note)
        {
            rows.Add(new NewMessage
            {
                Id = change.MessageId ?? newId(),
                Sequence = next.LastSequence,
                Direction = "internal",
                SenderType = "agent",
                SenderId = change.Actor.UserId,
                ContentType = ContentTypes.Note,
                Status = "received",
                Text = change.Text,
                Payload = change.Mentions.IsDefaultOrEmpty ? null : JsonSerializer.Serialize(new { mentions = change.Mentions }),
                SentAt = now,
            });
        }
        var action = "conversation." + JsonNamingPolicy.SnakeCaseLower.ConvertName(change.Action.ToString());
        return Plan(state, next, now, marksRead: next.UnreadCount == 0 && state.UnreadCount > 0, rows, Audit(state, next, change.Actor, action, newId)) with
        {
            WithdrawsAiMessages = next.Epoch > state.Epoch || (next.IsBlocked && !state.IsBlocked),
        };
    }

    /// <summary>A stored message on its way out.</summary>
    public static NewMessage Outbound(Guid id, long sequence, string senderType, PreparedContent part, DateTimeOffset now) => new()
    {
        Id = id,
        Sequence = sequence,
        Direction = "outbound",
        SenderType = senderType,
        ContentType = part.ContentType,
        Status = "pending",
        Text = part.Text,
        AttachmentUrl = part.AttachmentUrl,
        AttachmentMetadata = part.AttachmentMetadata,
        Payload = part.Payload,
        SentAt = now,
    };

    /// <summary>One of our people wrote, here or in the platform's own app: the conversation is theirs, open, and read.</summary>
    public static ConversationState WrittenByPerson(ConversationState state) => Reactivated(TakenOver(state, null)) with { UnreadCount = 0 };

    private static ConversationState TakenOver(ConversationState state, Guid? by) => state with
    {
        ManagedBy = ManagedBy.Human,
        Epoch = state.Epoch + 1,
        AssignedTo = by ?? state.AssignedTo,
        Status = state.Status == ConversationStatus.Escalated ? ConversationStatus.Active : state.Status,
    };

    private static ConversationState Vacated(ConversationState state) => state with
    {
        AssignedTo = null,
        Status = state is { ManagedBy: ManagedBy.Human, Status: ConversationStatus.Active } ? ConversationStatus.Escalated : state.Status,
    };

    private static ConversationState Reactivated(ConversationState state) =>
        state.Status is ConversationStatus.Completed or ConversationStatus.Archived ? state with { Status = ConversationStatus.Active, EndedAt = null } : state;

    private static ConversationPlan Plan(
        ConversationState state, ConversationState next, DateTimeOffset now, bool marksRead, IReadOnlyList<NewMessage> messages, AuditEntry audit)
    {
        var stops = state.Turn is not null && (next.ManagedBy == ManagedBy.Human || !next.AiEnabled || next.IsMuted || next.IsBlocked || next.Status is not ConversationStatus.Active);
        var row = stops ? state.Turn!.Ended("cancelled", "taken_over", now) : null;
        next = next with { Turn = stops ? null : state.Turn };
        return new ConversationPlan
        {
            Next = next with { Version = state.Version + 1 },
            StopsTurn = stops,
            Commit = new ConversationCommit
            {
                ConversationId = state.Id,
                OrganizationId = state.OrganizationId,
                ChannelId = state.ChannelId,
                ContactId = state.ContactId,
                Advance = next.ToAdvance(state.Version, marksRead),
                ContactNews = next.IsMuted == state.IsMuted && next.IsBlocked == state.IsBlocked ? null : new ContactNews
                {
                    IsMuted = next.IsMuted == state.IsMuted ? null : next.IsMuted,
                    IsBlocked = next.IsBlocked == state.IsBlocked ? null : next.IsBlocked,
                },
                Turn = row,
                Messages = messages,
                Audit = audit,
            },
        };
    }

    private static AuditEntry Audit(ConversationState before, ConversationState after, Actor actor, string action, Func<Guid> newId) =>
        new(newId(), actor.UserId, action, Describe(before), Describe(after), actor.IpAddress) { UserAgent = actor.UserAgent, ApiKeyId = actor.ApiKeyId };

    private static string Describe(ConversationState state) => JsonSerializer.Serialize(new
    {
        status = EnumText<ConversationStatus>.Of(state.Status),
        managedBy = EnumText<ManagedBy>.Of(state.ManagedBy),
        assignedTo = state.AssignedTo,
        aiEnabled = state.AiEnabled,
        muted = state.IsMuted,
        blocked = state.IsBlocked,
        epoch = state.Epoch,
        lastSequence = state.LastSequence,
    });
}
