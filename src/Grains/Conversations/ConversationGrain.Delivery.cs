using System.Collections.Immutable;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Delivery;
using AgentPlatform.Grains.Telemetry;

namespace AgentPlatform.Grains.Conversations;

/// <summary>
/// The messages on their way out, one after the other: the next leaves when the one before is accepted or given up. Sending itself runs
/// outside the grain's turn.
/// </summary>
internal sealed partial class ConversationGrain
{
    private List<OutboxItem>? _outbox;
    private OutboxItem? _underWay;
    private PairBudget? _pair;

    /// <summary>The wait before the next try; null when nothing is waited for.</summary>
    private CancellationTokenSource? _wait;
    private bool _isWaitPatient;

    /// <summary>Cancelled when a person pushes what is under way.</summary>
    private CancellationTokenSource? _push;

    private void EnqueueToSend(IReadOnlyList<OutboxItem> items)
    {
        (_outbox ??= []).AddRange(items);
        SendNext();
    }

    private void EnqueueUnsent(IReadOnlyList<StoredOutbound> unsent) => EnqueueToSend([.. unsent.Select(ToItem)]);

    private static OutboxItem ToItem(StoredOutbound row) => new()
    {
        MessageId = row.Id,
        Sequence = row.Sequence,
        IsAi = row.SenderType == "ai",
        Content = new PreparedContent(row.ContentType, row.Text, row.AttachmentUrl, row.AttachmentMetadata, row.Payload),
        ReplyToPlatformId = row.ReplyToPlatformId,
        Attempts = row.Attempts,
        IsDoubtful = row.IsSending,
        IsWithPlatform = row.IsSending,
    };

    private void SendNext()
    {
        if (_underWay is not null || _wait is not null || _outbox is not { Count: > 0 } || _state is null)
        {
            return;
        }
        var item = _outbox[0];
        if (item.NotBefore is { } due && due > services.Clock.GetUtcNow())
        {
            WaitToSend(due - services.Clock.GetUtcNow(), services.Changes.Next(_state.ChannelId), isPatient: false);
            return;
        }
        item.NotBefore = null;
        DelayDeactivation(WorkStay);
        _underWay = item;
        _push?.Dispose();
        _push = new CancellationTokenSource();
        var job = new DeliveryJob(_state.Id, _state.OrganizationId, _state.ChannelId, _state.ContactId, _state.Recipient ?? "", item, _pair ??= new PairBudget(), EngineTelemetry.Parent(item.TraceId), _push.Token);
        var self = this.AsReference<IConversationWork>();
        _ = Task.Run(() => RunDelivery(job, self), CancellationToken.None);
    }

    /// <summary>Runs outside the grain: nothing here touches the grain's state.</summary>
    private async Task RunDelivery(DeliveryJob job, IConversationWork self)
    {
        DeliveryEnd end;
        try
        {
            end = await services.Delivery.Deliver(job, services.Stopping);
        }
        catch (OperationCanceledException) when (services.Stopping.IsCancellationRequested)
        {
            return;
        }
        catch (Exception failure)
        {
            // Nothing was sent: it failed before, for lack of the database or of another grain.
            LogWorkFailed(services.Logger, job.ChannelId, failure.GetType().Name, failure.Message);
            end = new DeliveryEnd(WorkKnock.FirstWait * 5);
        }
        Post(new DeliveryEnded(job.Item, end), self);
    }

    private async Task EndDelivery(DeliveryEnded ended)
    {
        if (!ReferenceEquals(_underWay, ended.Item))
        {
            return;
        }
        _underWay = null;
        if (ended.End.MovedTo is { } name)
        {
            await MoveTo(name);
        }
        if (ended.Item.NotBefore is not null)
        {
            // It failed after all, and goes out again: told while it was still under way.
            ended.Item.IsDoubtful = false;
            SendNext();
            return;
        }
        if (ended.End.RetryAfter is { } wait && !ended.Item.IsSettled)
        {
            WaitToSend(wait, ended.End.EndsWaitWith, ended.End.IsPatient);
            return;
        }
        _outbox?.Remove(ended.Item);
        if (_state is not null)
        {
            services.Live.Changed(_state.OrganizationId, _state.Id);
            if (ended.End.UnreachableReason is { } reason)
            {
                await MarkUnreachable(reason);
            }
        }
        SendNext();
    }

    private void WaitToSend(TimeSpan wait, CancellationToken endsWait, bool isPatient)
    {
        var own = new CancellationTokenSource();
        (_wait, _isWaitPatient) = (own, isPatient);
        var self = this.AsReference<IConversationWork>();
        _ = Task.Run(() => PostLater(new SendDue(own), PlatformWait.Bound(wait), own.Token, endsWait, self), CancellationToken.None);
    }

    private async Task PostLater(object due, TimeSpan wait, CancellationToken ended, CancellationToken endsWait, IConversationWork self)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ended, endsWait, services.Stopping);
        await Task.Delay(wait, services.Clock, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (!services.Stopping.IsCancellationRequested)
        {
            Post(due, self);
        }
    }

    /// <summary>A wait is over, in time or before it.</summary>
    private void EndWait(SendDue due)
    {
        if (ReferenceEquals(_wait, due.Wait))
        {
            _wait = null;
            due.Wait.Dispose();
            SendNext();
        }
    }

    /// <summary>A person writes: what waits is tried now, unless a receipt is waited for.</summary>
    private void Push()
    {
        if (_outbox is not { Count: > 0 } || (_wait is not null && _isWaitPatient))
        {
            return;
        }
        _outbox[0].IsPushed = true;
        _outbox[0].NotBefore = null;
        _wait?.Cancel();
        _push?.Cancel();
    }

    private async Task MarkUnreachable(string reason)
    {
        _state = _state! with { UnreachableReason = reason };
        await Write(new ConversationCommit
        {
            ConversationId = _state.Id,
            OrganizationId = _state.OrganizationId,
            ChannelId = _state.ChannelId,
            ContactId = _state.ContactId,
            ContactNews = new ContactNews { UnreachableReason = reason },
        });
    }

    /// <summary>What the AI has waiting is withdrawn when a person takes over. What is with the platform already can't be.</summary>
    private List<DeliveryChange> Withdrawn()
    {
        if (_outbox is null)
        {
            return [];
        }
        var now = services.Clock.GetUtcNow();
        return [.. _outbox.Where(static item => item is { IsAi: true, IsDoubtful: false }).Select(item => Withdraw(item, now))];
    }

    private static DeliveryChange Withdraw(OutboxItem item, DateTimeOffset now) => new()
    {
        MessageId = item.MessageId,
        Status = "failed",
        ErrorCode = "withdrawn",
        Error = "A person took the conversation over before this was sent.",
        At = now,
    };

    private void ForgetWithdrawn()
    {
        _outbox?.RemoveAll(item => item is { IsAi: true, IsDoubtful: false } && !ReferenceEquals(item, _underWay));
        SendNext();
    }

    public async Task Moved(ImmutableArray<MovedMessage> moved)
    {
        await Load();
        if (_state is null)
        {
            return;
        }
        var isHeadOver = false;
        foreach (var message in moved)
        {
            if (message.UnreachableReason is { } reason)
            {
                _state = _state with { UnreachableReason = reason };
            }
            var item = _outbox?.Find(item => item.MessageId == message.MessageId);
            if (message.Status == MessageStatus.Pending)
            {
                item ??= await TakeBack(message.MessageId);
                if (item is not null)
                {
                    isHeadOver |= _wait is not null && ReferenceEquals(_outbox?[0], item);
                    (item.IsDoubtful, item.DoubtSince, item.IsWithPlatform) = (false, null, false);
                    item.NotBefore = services.Clock.GetUtcNow() + services.Delivery.WaitAgain(item.Attempts, message.IsTooFast);
                }
            }
            else if (item is not null)
            {
                item.IsSettled = true;
                if (!ReferenceEquals(item, _underWay))
                {
                    isHeadOver |= ReferenceEquals(_outbox![0], item);
                    _outbox.Remove(item);
                }
            }
        }
        if (isHeadOver)
        {
            _wait?.Cancel();
        }
        SendNext();
    }

    /// <summary>A message that the platform had accepted, and that is to be sent again: into its place. What the AI wrote before a person took over stays unsent.</summary>
    private async Task<OutboxItem?> TakeBack(Guid messageId)
    {
        var row = await services.Store.FindWaitingMessage(_state!.Id, messageId, CancellationToken.None).OrUnavailable();
        if (row is null || _state is null || _outbox?.Exists(item => item.MessageId == messageId) == true)
        {
            return null;
        }
        var item = ToItem(row.Value.Message);
        if (row.Value.IsOutdated)
        {
            await Write(new ConversationCommit
            {
                ConversationId = _state.Id,
                OrganizationId = _state.OrganizationId,
                ChannelId = _state.ChannelId,
                ContactId = _state.ContactId,
                Deliveries = [Withdraw(item, services.Clock.GetUtcNow())],
            });
            return null;
        }
        var place = (_outbox ??= []).FindIndex(other => other.Sequence > item.Sequence && !ReferenceEquals(other, _underWay));
        _outbox.Insert(place < 0 ? _outbox.Count : place, item);
        return item;
    }

    /// <summary>Takes echoes of what this conversation is sending itself out of a batch: they say that the platform has it.</summary>
    private async Task<InboundBatch> TakeOwnEchoes(InboundBatch batch)
    {
        if (_state is null || _outbox is not { Count: > 0 } || EchoDecision.Match(batch.Messages, _outbox) is not { Count: > 0 } own)
        {
            return batch;
        }
        var now = services.Clock.GetUtcNow();
        await Write(new ConversationCommit
        {
            ConversationId = _state.Id,
            OrganizationId = _state.OrganizationId,
            ChannelId = _state.ChannelId,
            ContactId = _state.ContactId,
            Deliveries = [.. own.Select(pair => new DeliveryChange { MessageId = pair.Item.MessageId, PlatformMessageId = pair.Echo.PlatformMessageId, Status = "sent", At = now, IsReceipt = true })],
        });
        services.Live.Changed(batch.OrganizationId, _state!.Id);
        await Moved([.. own.Select(static pair => new MovedMessage { MessageId = pair.Item.MessageId, Status = MessageStatus.Sent })]);
        return batch with { Messages = batch.Messages.RemoveAll(message => own.Any(pair => ReferenceEquals(pair.Echo, message))) };
    }

    /// <summary>A request that is with the platform goes on: whoever reads its row finds it under way, and waits for it.</summary>
    private void ForgetOutbox()
    {
        _outbox = null;
        _underWay = null;
        _wait?.Cancel();
        _wait = null;
    }
}
