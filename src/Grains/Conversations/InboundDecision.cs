using System.Collections.Immutable;
using System.Text.Json;
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

    /// <summary>How long an answer waits for further parts of an album: they come one by one, within a second.</summary>
    public static readonly TimeSpan AlbumWait = TimeSpan.FromSeconds(1.5);

    /// <summary>Platforms tell the time in seconds, by clocks of their own: up to so much a message was written when it came.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(1);

    public static ConversationPlan Decide(
        ConversationState state, InboundBatch batch, IReadOnlyCollection<string> stored, ChannelSettings channel, AiAllowance allowance, Guid instanceId, DateTimeOffset now, Func<Guid> newId,
        string? traceId, TimeSpan? serviceWindow = null)
    {
        var next = state;
        var rows = new List<NewMessage>(batch.Messages.Length);
        var toSend = new List<OutboxItem>();
        List<MessageAmendment>? amendments = null;
        long firstToAnswer = 0;
        bool isOpened = false, isTakenOver = false, isLate = false, isAmended = false;

        foreach (var message in batch.Messages)
        {
            var saidAt = SaidAt(message.PlatformTimestamp, now);
            if (message.IsUpdate)
            {
                (amendments ??= []).Add(Amendment(message, message.PlatformMessageId, AmendmentKind.Update, saidAt));
                continue;
            }
            if (stored.Contains(message.PlatformMessageId) || rows.Exists(row => row.PlatformMessageId == message.PlatformMessageId))
            {
                continue;
            }
            if (message.AlbumId is { } albumId && next.Album is { } album && album.Id == albumId && album.PlatformMessageId != message.PlatformMessageId)
            {
                (amendments ??= []).Add(Part(message, album, saidAt));
                // The album has been answered without its words only if they come this late.
                firstToAnswer = firstToAnswer == 0 && !album.HasText && message.Text is { Length: > 0 } && !message.IsEcho && state.Turn is null ? album.Sequence : firstToAnswer;
                next = next with { Album = album with { HasText = album.HasText || message.Text is { Length: > 0 } } };
                continue;
            }

            // Whom nobody wants to hear says nothing; nor does a channel's post in its discussion group.
            var isSaid = ContentTypes.IsSaid(message.ContentType) && !message.IsSilent && (message.IsEcho || !next.IsBlocked);
            next = next with { LastSequence = next.LastSequence + 1, LastMessageAt = next.LastMessageAt ?? saidAt, LastInteractionAt = next.LastInteractionAt ?? saidAt };
            rows.Add(ToRow(message, next.LastSequence, saidAt, isRead: !isSaid || message.IsEcho, newId()));
            if (message.ContentType is ContentTypes.Edit or ContentTypes.Revoke && message.ReplyToPlatformId is { } target)
            {
                (amendments ??= []).Add(Amendment(message, target, message.ContentType == ContentTypes.Edit ? AmendmentKind.Edit : AmendmentKind.Delete, saidAt));
                isAmended = true;
            }
            if (!isSaid)
            {
                continue;
            }

            isOpened |= !message.IsAutomatic;
            next = Shown(next, Preview(message), saidAt);
            next = message.AlbumId is { } id ? next with { Album = new AlbumState(id, message.PlatformMessageId, next.LastSequence, message.Text is { Length: > 0 }) } : next;
            if (message.IsEcho)
            {
                isTakenOver |= !message.IsAutomatic;
                continue;
            }
            next = next with { LastInboundAt = Later(next.LastInboundAt, saidAt), UnreadCount = next.UnreadCount + 1 };
            if (Keyword(message, channel) is { } keyword)
            {
                next = ApplyKeyword(next, keyword, rows, toSend, now, newId);
            }
            else if (channel.OnLateMessage != LateMessages.Answer && now - saidAt >= channel.LateAfter)
            {
                isLate = true;
            }
            else if (firstToAnswer == 0)
            {
                firstToAnswer = next.LastSequence;
            }
        }

        if (state.Version == 0 && rows.Count == 0)
        {
            // News of a message that never came, from somebody whom nobody knows: there is nothing to keep it with.
            amendments = null;
        }
        if (firstToAnswer > 0 && serviceWindow is { } window && now - next.LastInboundAt > window)
        {
            // The platform would take no answer any more.
            (firstToAnswer, isLate) = (0, true);
        }
        if (isOpened && next.Status is ConversationStatus.Completed or ConversationStatus.Archived)
        {
            next = next with { Status = ConversationStatus.Active, EndedAt = null };
        }
        else if (!isOpened && state.Version == 0)
        {
            // Somebody of whom only the platform has spoken yet: the conversation opens with the first message of either side.
            next = next with { Status = ConversationStatus.Archived, EndedAt = now };
        }
        var marksRead = false;
        if (isTakenOver)
        {
            marksRead = next.UnreadCount > 0;
            next = CommandDecision.WrittenByPerson(next);
        }
        else if (isLate && firstToAnswer == 0 && channel.OnLateMessage != LateMessages.Leave && IsAiActive(next, channel) && next.Turn is null)
        {
            next = next with { Status = ConversationStatus.Escalated, ManagedBy = ManagedBy.Human };
        }

        if (firstToAnswer > 0)
        {
            next = UsageDecision.BeforeTurn(next, channel, allowance, rows, toSend, now, newId);
        }
        var wait = amendments?.Exists(static amendment => amendment.Kind == AmendmentKind.Attach) == true || (rows.Count > 0 && batch.Messages.Any(static message => message.AlbumId is not null)) ? AlbumWait : TimeSpan.Zero;
        var (turn, row, stops) = DecideTurn(next, channel, firstToAnswer, isAmended, wait, instanceId, now, newId, traceId);
        next = next with { Turn = turn };
        var reason = Reachability(batch.Contact, isOpened && !isTakenOver, next.UnreachableReason);
        (next, var news) = Meet(state, next with { UnreachableReason = reason }, batch, rows, channel.Platform, isOpened && !isTakenOver, now);
        return new ConversationPlan
        {
            Next = next with { Version = state.Version + 1 },
            ToSend = toSend,
            StopsTurn = stops,
            QueuedFrom = row is null && turn is not null ? firstToAnswer : 0,
            WithdrawsAiMessages = isTakenOver || (next.IsBlocked && !state.IsBlocked),
            Commit = new ConversationCommit
            {
                ConversationId = next.Id,
                OrganizationId = next.OrganizationId,
                ChannelId = next.ChannelId,
                ContactId = next.ContactId,
                Advance = next.ToAdvance(state.Version, marksRead),
                NewContact = state.Version == 0 ? ToContact(batch.Contact, next, channel) : null,
                ContactNews = news,
                Messages = rows,
                Turn = row,
                Amendments = amendments ?? (IReadOnlyList<MessageAmendment>)[],
            },
        };
    }

    /// <summary>True when the AI answers in this conversation as it stands.</summary>
    public static bool IsAiActive(ConversationState state, ChannelSettings channel) =>
        channel is { IsActive: true, IsBotActive: true, IsOrganizationAiEnabled: true, HasActiveAgent: true }
        && state is { AiEnabled: true, ManagedBy: ManagedBy.Ai, Status: ConversationStatus.Active, IsMuted: false, IsBlocked: false }
        && (!state.IsGroup || (channel.AnswersGroups ?? channel.Platform == "telegram"));

    /// <summary>
    /// When something was said: the platform's time where it came late, now where it came at once (the platform's clock ticks in seconds, and ours is the one that answers are told by).
    /// </summary>
    public static DateTimeOffset SaidAt(DateTimeOffset? platformTime, DateTimeOffset now) => platformTime is { } at && at < now - ClockTolerance ? at : now;

    /// <summary>Something was said: lists show it, unless what they show was said later.</summary>
    public static ConversationState Shown(ConversationState state, string preview, DateTimeOffset at) => state with
    {
        LastMessagePreview = state.LastMessagePreview is null || at >= state.LastMessageAt ? preview : state.LastMessagePreview,
        LastMessageAt = Later(state.LastMessageAt, at),
        LastInteractionAt = Later(state.LastInteractionAt, at),
    };

    /// <summary>The names, name and address of the person after a batch, and what is new of them.</summary>
    private static (ConversationState Next, ContactNews? News) Meet(
        ConversationState state, ConversationState next, InboundBatch batch, List<NewMessage> rows, string platform, bool hasWritten, DateTimeOffset now)
    {
        var contact = batch.Contact;
        // A notice that came before says nothing new: what it told may have changed again since.
        var isRename = ConversationNames.IsRename(contact) && rows.Count > 0;
        var isNew = state.Version == 0;
        var at = rows.Count > 0 ? rows[0].PlatformTimestamp ?? now : now;
        var added = isNew || (ConversationNames.IsRename(contact) && !isRename) ? [] : ConversationNames.New(state, contact, at);
        (string Name, DateTimeOffset At)[] givenUp = isRename ? [.. contact.GivenUp.Where(state.Identities.Contains).Select(name => (name, at))] : [];
        var names = added.Length + givenUp.Length == 0 ? next.Identities : [.. next.Identities.Where(name => !givenUp.Any(gone => gone.Name == name)), .. added];
        var told = ConversationNames.Present(contact).Where(names.Contains).ToArray();
        var newest = ConversationNames.AddressAmong(names.Reverse(), platform);
        var recipient = isRename || isNew || (hasWritten && told.Length > 0) ? ConversationNames.AddressAmong(told, platform) ?? newest
            : next.Recipient is { } present && names.Contains(present) ? present : newest;
        var moved = next with
        {
            Identities = names,
            FormerNames = givenUp.Length + added.Length == 0 ? next.FormerNames : [.. next.FormerNames.Where(former => !added.Contains(former.Name)), .. givenUp],
            Recipient = recipient,
            Name = contact.Name ?? next.Name,
            Username = contact.Username ?? next.Username,
            Phone = (isRename && told.Length > 0) || next.Phone is null ? contact.Phone ?? next.Phone : next.Phone,
        };
        if (isNew)
        {
            // Met by the news that the person moved: what was given up is known from the start, for an earlier move that is told later.
            (string Name, DateTimeOffset At)[] former = isRename ? [.. contact.GivenUp.Select(name => (name, at))] : [];
            return (moved with { FormerNames = [.. moved.FormerNames, .. former] }, former.Length == 0 ? null : new ContactNews { GivenUp = former });
        }
        var news = new ContactNews
        {
            NewIdentities = added,
            GivenUp = givenUp,
            PlatformUserId = moved.Recipient is { } name && name != state.Recipient ? name : null,
            Name = moved.Name != state.Name ? moved.Name : null,
            Username = moved.Username != state.Username ? moved.Username : null,
            Phone = moved.Phone != state.Phone ? moved.Phone : null,
            UnreachableReason = moved.UnreachableReason != state.UnreachableReason ? moved.UnreachableReason ?? "" : null,
            IsMuted = moved.IsMuted != state.IsMuted ? moved.IsMuted : null,
            IsBlocked = moved.IsBlocked != state.IsBlocked ? moved.IsBlocked : null,
        };
        return (moved, news is { NewIdentities.Count: 0, GivenUp.Count: 0, PlatformUserId: null, Name: null, Username: null, Phone: null, UnreachableReason: null, IsMuted: null, IsBlocked: null } ? null : news);
    }

    private static string? Reachability(InboundContact contact, bool hasWritten, string? before) =>
        contact.IsReachable == false ? "The customer has blocked this account, or removed it. Only the customer can undo that." : hasWritten || contact.IsReachable == true ? null : before;

    private static (TurnState? Turn, TurnRow? Row, bool Stops) DecideTurn(
        ConversationState state, ChannelSettings channel, long firstToAnswer, bool isAmended, TimeSpan wait, Guid instanceId, DateTimeOffset now, Func<Guid> newId, string? traceId)
    {
        var current = state.Turn;
        if (!IsAiActive(state, channel))
        {
            return current is null ? (null, null, false) : (null, current.Ended("cancelled", "taken_over", now), true);
        }
        // What was corrected, taken back or completed is answered as it is now, if it isn't answered yet.
        if (firstToAnswer == 0 && (current is null || (!isAmended && wait == TimeSpan.Zero)))
        {
            return (current, null, false);
        }
        var settle = TimeSpan.FromSeconds(channel.ResponseDelaySeconds);
        settle = settle > wait ? settle : wait;
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
        if (firstToAnswer > 0 && current.StartedAt is not null && !channel.RestartsOnNewMessage && wait == TimeSpan.Zero)
        {
            // Queued: answered by the next turn, which starts when this one ends.
            return (current, null, false);
        }
        var due = now + settle;
        var latest = current.FirstDueAt + settle * (MaxSettleTimes - 1);
        due = due < latest || settle == TimeSpan.Zero ? due : latest > now ? latest : now;
        var joined = current with
        {
            LastSequence = firstToAnswer > 0 ? state.LastSequence : current.LastSequence,
            Attempt = current.Attempt + 1,
            DueAt = due,
            StartedAt = due <= now ? now : null,
        };
        return (joined, joined.ToRow(instanceId), true);
    }

    private static KeywordAction? Keyword(InboundMessage message, ChannelSettings channel) =>
        channel.Keywords.Count > 0 && message.Text is { Length: > 0 and <= 200 } text && channel.Keywords.TryGetValue(ComparableText.Keyword(text), out var action) ? action : null;

    private static ConversationState ApplyKeyword(ConversationState state, KeywordAction keyword, List<NewMessage> rows, List<OutboxItem> toSend, DateTimeOffset now, Func<Guid> newId)
    {
        switch (keyword.ActionType)
        {
            case "DISABLE_AI":
                return state with { AiEnabled = false };
            case "ENABLE_AI":
                return state with { AiEnabled = true, ManagedBy = ManagedBy.Ai, Status = ConversationStatus.Active };
            case "MUTE_CONTACT":
                return state with { IsMuted = true };
            case "BLOCK_CONTACT":
                return state with { IsBlocked = true, UnreadCount = 0 };
            default:
                foreach (var item in keyword.Items)
                {
                    state = state with { LastSequence = state.LastSequence + 1 };
                    var id = newId();
                    rows.Add(new NewMessage { Id = id, Sequence = state.LastSequence, Direction = "outbound", SenderType = "system", ContentType = ContentTypes.Text, Status = "pending", Text = item, SentAt = now });
                    toSend.Add(new OutboxItem { MessageId = id, Sequence = state.LastSequence, IsAi = false, Content = new PreparedContent(ContentTypes.Text, item) });
                }
                return state;
        }
    }

    private static NewMessage ToRow(InboundMessage message, long sequence, DateTimeOffset saidAt, bool isRead, Guid id) => new()
    {
        Id = id,
        Sequence = sequence,
        Direction = message.IsEcho ? "outbound" : "inbound",
        SenderType = message.IsEcho ? message.IsAutomatic ? "system" : "agent" : message.IsSilent ? "system" : "user",
        ContentType = message.ContentType,
        Status = message.IsEcho ? "sent" : "received",
        Text = message.Text,
        AttachmentUrl = message.AttachmentUrl,
        AttachmentMetadata = message.AttachmentMetadata,
        Payload = message.Payload,
        PlatformMessageId = message.PlatformMessageId,
        ReplyToPlatformId = message.ReplyToPlatformId,
        PlatformTimestamp = message.PlatformTimestamp,
        SentAt = saidAt,
        IsRead = isRead,
    };

    private static MessageAmendment Amendment(InboundMessage message, string target, AmendmentKind kind, DateTimeOffset at) => new()
    {
        PlatformMessageId = target,
        Kind = kind,
        Text = message.Text,
        AttachmentUrl = message.AttachmentUrl,
        AttachmentMetadata = message.AttachmentMetadata,
        Payload = message.Payload,
        At = at,
    };

    private static MessageAmendment Part(InboundMessage message, AlbumState album, DateTimeOffset at) => new()
    {
        PlatformMessageId = album.PlatformMessageId,
        Kind = AmendmentKind.Attach,
        Text = message.Text,
        Attachment = JsonSerializer.Serialize(
            new { message.PlatformMessageId, message.ContentType, Url = message.AttachmentUrl, Metadata = message.AttachmentMetadata is null ? (JsonElement?)null : JsonElement.Parse(message.AttachmentMetadata) }, JsonSerializerOptions.Web),
        At = at,
    };

    private static NewContact ToContact(InboundContact contact, ConversationState state, ChannelSettings channel) => new()
    {
        Platform = channel.Platform,
        FirstIdentity = state.FirstIdentity,
        Identities = state.Identities,
        PlatformUserId = state.Recipient ?? state.FirstIdentity,
        IsGroup = state.IsGroup,
        Name = contact.Name,
        Username = contact.Username,
        Phone = contact.Phone,
        Language = contact.Language,
    };

    private static DateTimeOffset Later(DateTimeOffset? a, DateTimeOffset b) => a is { } at && at > b ? at : b;

    /// <summary>What a list shows of a message: its text, else its kind in brackets.</summary>
    public static string Preview(string? text, string contentType) =>
        text is { Length: > 0 } ? text.Length <= PreviewLength ? text : Cut(text) : $"[{contentType}]";

    private static string Preview(InboundMessage message) => Preview(message.Text, message.ContentType);

    // Not in the middle of a surrogate pair: Postgres refuses half a character.
    private static string Cut(string text) => text[..(char.IsHighSurrogate(text[PreviewLength - 2]) ? PreviewLength - 2 : PreviewLength - 1)] + "…";
}
