using AgentPlatform.Billing;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Data.Texts;
using AgentPlatform.Grains.Channels;

namespace AgentPlatform.Grains.Conversations;

/// <summary>Decides what incoming messages do to a conversation. Pure: the clock and the ids come as arguments.</summary>
internal static class InboundDecision
{
    /// <summary>Fragments can put the answer off for at most this many settle times.</summary>
    public const int MaxSettleTimes = 5;

    /// <summary>Characters of a message shown in lists.</summary>
    public const int PreviewLength = 120;

    public static ConversationPlan Decide(
        ConversationState state, InboundBatch batch, IReadOnlyCollection<string> stored, ChannelSettings channel, AiAllowance allowance, Guid instanceId, DateTimeOffset now, Func<Guid> newId,
        string? traceId)
    {
        var next = state;
        var rows = new List<NewMessage>(batch.Messages.Length);
        var toSend = new List<OutboxItem>();
        long firstToAnswer = 0;
        var takenOver = false;
        string? keywordAction = null;

        foreach (var message in batch.Messages)
        {
            if (stored.Contains(message.PlatformMessageId) || rows.Exists(row => row.PlatformMessageId == message.PlatformMessageId))
            {
                continue;
            }
            next = next with { LastSequence = next.LastSequence + 1, LastMessageAt = now, LastInteractionAt = now, LastMessagePreview = Preview(message) };
            rows.Add(ToRow(message, next.LastSequence, now, newId()));
            if (message.IsEcho)
            {
                takenOver = true;
                continue;
            }
            next = next with { LastInboundAt = now, UnreadCount = next.UnreadCount + 1 };
            if (Keyword(message, channel) is { } keyword)
            {
                (next, keywordAction) = ApplyKeyword(next, keyword, rows, toSend, now, newId, keywordAction);
            }
            else if (message.ExpectsReply && firstToAnswer == 0)
            {
                firstToAnswer = next.LastSequence;
            }
        }

        if (rows.Count > 0 && next.Status is ConversationStatus.Completed or ConversationStatus.Archived)
        {
            next = next with { Status = ConversationStatus.Active, EndedAt = null };
        }
        if (takenOver && next.ManagedBy == ManagedBy.Ai)
        {
            next = next with { ManagedBy = ManagedBy.Human, Epoch = next.Epoch + 1 };
        }

        if (firstToAnswer > 0)
        {
            next = UsageDecision.BeforeTurn(next, channel, allowance, rows, toSend, now, newId);
        }
        var (turn, row, stops) = DecideTurn(next, channel, firstToAnswer, instanceId, now, newId, traceId);
        var news = state.Version == 0 ? null : ToNews(batch.Contact, state, rows.Count > 0);
        next = next with
        {
            Turn = turn,
            UnreachableReason = rows.Count > 0 ? null : next.UnreachableReason,
            Identities = news is { NewIdentities.Count: > 0 } ? [.. next.Identities, .. news.NewIdentities] : next.Identities,
            Name = batch.Contact.Name ?? next.Name,
            Username = batch.Contact.Username ?? next.Username,
            Phone = batch.Contact.Phone ?? next.Phone,
        };
        return new ConversationPlan
        {
            Next = next with { Version = state.Version + 1 },
            ToSend = toSend,
            StopsTurn = stops,
            QueuedFrom = row is null && turn is not null ? firstToAnswer : 0,
            WithdrawsAiMessages = takenOver,
            Commit = new ConversationCommit
            {
                ConversationId = next.Id,
                OrganizationId = next.OrganizationId,
                ChannelId = next.ChannelId,
                ContactId = next.ContactId,
                Advance = next.ToAdvance(state.Version),
                NewContact = state.Version == 0 ? ToContact(batch.Contact, next, channel) : null,
                ContactNews = news,
                Messages = rows,
                Turn = row,
            },
        };
    }

    /// <summary>True when the AI answers in this conversation as it stands.</summary>
    public static bool IsAiActive(ConversationState state, ChannelSettings channel) =>
        channel is { IsActive: true, IsBotActive: true, IsOrganizationAiEnabled: true, HasActiveAgent: true }
        && state is { AiEnabled: true, ManagedBy: ManagedBy.Ai, Status: ConversationStatus.Active };

    private static (TurnState? Turn, TurnRow? Row, bool Stops) DecideTurn(
        ConversationState state, ChannelSettings channel, long firstToAnswer, Guid instanceId, DateTimeOffset now, Func<Guid> newId, string? traceId)
    {
        var current = state.Turn;
        if (!IsAiActive(state, channel))
        {
            return current is null ? (null, null, false) : (null, current.Ended("cancelled", "taken_over", now), true);
        }
        if (firstToAnswer == 0)
        {
            return (current, null, false);
        }
        var settle = TimeSpan.FromSeconds(channel.ResponseDelaySeconds);
        if (current is null)
        {
            var started = new TurnState
            {
                Id = newId(),
                AgentId = state.AgentId ?? channel.AgentId!.Value,
                Attempt = 1,
                Epoch = state.Epoch,
                FirstSequence = firstToAnswer,
                LastSequence = state.LastSequence,
                DueAt = now + settle,
                FirstDueAt = now + settle,
                StartedAt = settle == TimeSpan.Zero ? now : null,
                TraceId = traceId,
            };
            return (started, started.ToRow(instanceId), false);
        }
        if (current.StartedAt is not null && !channel.RestartsOnNewMessage)
        {
            // Queued: answered by the next turn, which starts when this one ends.
            return (current, null, false);
        }
        var due = now + settle;
        var latest = current.FirstDueAt + settle * (MaxSettleTimes - 1);
        due = due < latest || settle == TimeSpan.Zero ? due : latest > now ? latest : now;
        var joined = current with
        {
            LastSequence = state.LastSequence,
            Attempt = current.Attempt + 1,
            DueAt = due,
            StartedAt = due <= now ? now : null,
        };
        return (joined, joined.ToRow(instanceId), true);
    }

    private static KeywordAction? Keyword(InboundMessage message, ChannelSettings channel) =>
        channel.Keywords.Count > 0 && message.Text is { Length: > 0 and <= 200 } text && channel.Keywords.TryGetValue(ComparableText.Keyword(text), out var action) ? action : null;

    private static (ConversationState Next, string Action) ApplyKeyword(
        ConversationState state, KeywordAction keyword, List<NewMessage> rows, List<OutboxItem> toSend, DateTimeOffset now, Func<Guid> newId, string? earlier)
    {
        switch (keyword.ActionType)
        {
            case "DISABLE_AI":
                return (state with { AiEnabled = false }, keyword.ActionType);
            case "ENABLE_AI":
                return (state with { AiEnabled = true, ManagedBy = ManagedBy.Ai, Status = ConversationStatus.Active }, keyword.ActionType);
            default:
                foreach (var item in keyword.Items)
                {
                    state = state with { LastSequence = state.LastSequence + 1 };
                    var id = newId();
                    rows.Add(new NewMessage { Id = id, Sequence = state.LastSequence, Direction = "outbound", SenderType = "system", ContentType = ContentTypes.Text, Status = "pending", Text = item, SentAt = now });
                    toSend.Add(new OutboxItem { MessageId = id, Sequence = state.LastSequence, IsAi = false, Content = new PreparedContent(ContentTypes.Text, item) });
                }
                return (state, earlier ?? keyword.ActionType);
        }
    }

    private static NewMessage ToRow(InboundMessage message, long sequence, DateTimeOffset now, Guid id) => new()
    {
        Id = id,
        Sequence = sequence,
        Direction = message.IsEcho ? "outbound" : "inbound",
        SenderType = message.IsEcho ? "agent" : "user",
        ContentType = message.ContentType,
        Status = message.IsEcho ? "sent" : "received",
        Text = message.Text,
        AttachmentUrl = message.AttachmentUrl,
        AttachmentMetadata = message.AttachmentMetadata,
        Payload = message.Payload,
        PlatformMessageId = message.PlatformMessageId,
        ReplyToPlatformId = message.ReplyToPlatformId,
        PlatformTimestamp = message.PlatformTimestamp,
        SentAt = now,
    };

    private static NewContact ToContact(InboundContact contact, ConversationState state, ChannelSettings channel) => new()
    {
        Platform = channel.Platform,
        Identities = state.Identities,
        Name = contact.Name,
        Username = contact.Username,
        Phone = contact.Phone,
        Language = contact.Language,
    };

    private static ContactNews? ToNews(InboundContact contact, ConversationState state, bool wrote)
    {
        var identities = contact.Identities.Where(identity => !state.Identities.Contains(identity)).ToArray();
        var name = contact.Name is { } told && told != state.Name ? told : null;
        var username = contact.Username is { } handle && handle != state.Username ? handle : null;
        var phone = contact.Phone is { } number && number != state.Phone ? number : null;
        var reachable = wrote && state.UnreachableReason is not null ? "" : null;
        return identities.Length == 0 && name is null && username is null && phone is null && reachable is null
            ? null
            : new ContactNews { NewIdentities = identities, Name = name, Username = username, Phone = phone, UnreachableReason = reachable };
    }

    /// <summary>What a list shows of a message: its text, else its kind in brackets.</summary>
    public static string Preview(string? text, string contentType) =>
        text is { Length: > 0 } ? text.Length <= PreviewLength ? text : Cut(text) : $"[{contentType}]";

    private static string Preview(InboundMessage message) => Preview(message.Text, message.ContentType);

    // Not in the middle of a surrogate pair: Postgres refuses half a character.
    private static string Cut(string text) => text[..(char.IsHighSurrogate(text[PreviewLength - 2]) ? PreviewLength - 2 : PreviewLength - 1)] + "…";
}
