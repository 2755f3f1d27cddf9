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
    private bool _isWaitingToSend;

    private void EnqueueToSend(IReadOnlyList<OutboxItem> items)
    {
        (_outbox ??= []).AddRange(items);
        SendNext();
    }

    private void EnqueueUnsent(IReadOnlyList<StoredOutbound> unsent) => EnqueueToSend([.. unsent.Select(row => new OutboxItem
    {
        MessageId = row.Id,
        Sequence = row.Sequence,
        IsAi = row.SenderType == "ai",
        Content = new PreparedContent(row.ContentType, row.Text, row.AttachmentUrl, row.AttachmentMetadata, row.Payload),
        ReplyToPlatformId = row.ReplyToPlatformId,
        Attempts = row.Attempts,
        IsDoubtful = row.IsSending,
    })]);

    private void SendNext()
    {
        if (_underWay is not null || _isWaitingToSend || _outbox is not { Count: > 0 } || _state is null)
        {
            return;
        }
        var item = _outbox[0];
        DelayDeactivation(WorkStay);
        _underWay = item;
        var job = new DeliveryJob(_state.Id, _state.OrganizationId, _state.ChannelId, _state.ContactId, _state.Recipient ?? "", item, _pair ??= new PairBudget(), EngineTelemetry.Parent(item.TraceId));
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
            // Nothing was sent: it failed before, for want of the database or of another grain.
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
        if (ended.End.RetryAfter is { } wait)
        {
            _isWaitingToSend = true;
            var self = this.AsReference<IConversationWork>();
            _ = Task.Run(() => PostLater(new SendDue(), wait, ended.End.EndsWaitWith, self), CancellationToken.None);
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

    private async Task PostLater(object due, TimeSpan wait, CancellationToken endsWait, IConversationWork self)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(endsWait, services.Stopping);
        await Task.Delay(wait, services.Clock, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (!services.Stopping.IsCancellationRequested)
        {
            Post(due, self);
        }
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
        return [.. _outbox.Where(static item => item is { IsAi: true, IsDoubtful: false }).Select(item => new DeliveryChange
        {
            MessageId = item.MessageId,
            Status = "failed",
            ErrorCode = "withdrawn",
            Error = "A person took the conversation over before this was sent.",
            At = now,
        })];
    }

    private void ForgetWithdrawn()
    {
        _outbox?.RemoveAll(item => item is { IsAi: true, IsDoubtful: false } && !ReferenceEquals(item, _underWay));
        SendNext();
    }

    /// <summary>A receipt that names a message of which nobody knew whether it was accepted says that it was.</summary>
    private void SettleDoubts(ImmutableArray<DeliveryReceipt> receipts)
    {
        if (_outbox is not { Count: > 0 } || _underWay is not null)
        {
            return;
        }
        if (_outbox.RemoveAll(item => item.IsDoubtful && receipts.Any(receipt => receipt.MessageId == item.MessageId)) > 0)
        {
            _isWaitingToSend = false;
            SendNext();
        }
    }

    /// <summary>A request that is with the platform goes on: whoever reads its row finds it under way, and waits for it.</summary>
    private void ForgetOutbox()
    {
        _outbox = null;
        _underWay = null;
        _isWaitingToSend = false;
    }
}
