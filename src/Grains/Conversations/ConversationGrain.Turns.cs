using System.Diagnostics;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Delivery;
using AgentPlatform.Grains.Telemetry;

namespace AgentPlatform.Grains.Conversations;

/// <summary>The turn under way: settling, running outside the grain's own turn, and its end.</summary>
internal sealed partial class ConversationGrain
{
    /// <summary>How long the grain stays in memory for work under way, at most, without a word from it.</summary>
    private static readonly TimeSpan WorkStay = TimeSpan.FromMinutes(15);

    private CancellationTokenSource? _turnCancellation;
    private IGrainTimer? _settleTimer;
    private List<object>? _ended;
    private readonly Lock _gate = new();
    private string? _lastInboundPlatformId;

    /// <summary>The first message that came while a turn was under way that it does not restart; 0 when there is none.</summary>
    private long _queuedFrom;

    public async Task Work()
    {
        await Load();
        while (TakeEnded() is { } ended)
        {
            switch (ended)
            {
                case TurnEnded turn:
                    await EndTurn(turn);
                    break;
                case DeliveryEnded delivery:
                    await EndDelivery(delivery);
                    break;
                case SendDue due:
                    EndWait(due);
                    break;
            }
        }
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        var turn = _state?.Turn;
        StopTurn();
        if (_state is not null && turn is not null)
        {
            try
            {
                await services.Writer.Commit(TurnDecision.Release(_state, turn)).WaitAsync(cancellationToken);
            }
            catch (Exception failure) when (failure is StorageAwayException or OperationCanceledException)
            {
                // The instance's heartbeat ends with the process, and the turn is taken over by that.
                LogWorkFailed(services.Logger, _state.Id, failure.GetType().Name, failure.Message);
            }
        }
        ForgetOutbox();
    }

    /// <summary>After a load: a turn that nobody runs is run again, messages that wait are sent.</summary>
    private async Task TakeUp(StoredConversation stored)
    {
        if (stored.Unsent.Count > 0)
        {
            EnqueueUnsent(stored.Unsent);
        }
        if (_state?.Turn is { } turn && await Channel() is { } channel)
        {
            await Commit(TurnDecision.Start(
                _state, turn, channel, await Allowance(_state.OrganizationId), services.Instance.Id, services.Clock.GetUtcNow(), services.NewId, isRepeated: true));
        }
    }

    private void BeginTurn(TurnState turn)
    {
        _settleTimer?.Dispose();
        _settleTimer = null;
        if (turn.StartedAt is null)
        {
            var wait = turn.DueAt - services.Clock.GetUtcNow();
            _settleTimer = this.RegisterGrainTimer(
                static (grain, _) => grain.StartSettled(), this, new GrainTimerCreationOptions(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan) { KeepAlive = true });
            return;
        }
        DelayDeactivation(WorkStay);
        var cancellation = CancellationTokenSource.CreateLinkedTokenSource(services.Stopping);
        _turnCancellation = cancellation;
        var request = new TurnRequest
        {
            TurnId = turn.Id,
            Attempt = turn.Attempt,
            OrganizationId = _state!.OrganizationId,
            ChannelId = _state.ChannelId,
            ConversationId = _state.Id,
            ContactId = _state.ContactId,
            AgentId = turn.AgentId,
            FirstSequence = turn.FirstSequence,
            LastSequence = turn.LastSequence,
        };
        LogTurnStarted(services.Logger, turn.Id, _state.Id, turn.Attempt, turn.FirstSequence, turn.LastSequence, turn.TraceId);
        var self = this.AsReference<IConversationWork>();
        var readMark = (_state.Recipient, PlatformId: _lastInboundPlatformId);
        var parent = Activity.Current?.Context ?? default;
        _ = Task.Run(() => RunTurn(request, self, readMark, parent, cancellation), CancellationToken.None);
    }

    /// <summary>Runs outside the grain: nothing here touches the grain's state.</summary>
    private async Task RunTurn(TurnRequest request, IConversationWork self, (string? Recipient, string? PlatformId) readMark, ActivityContext parent, CancellationTokenSource cancellation)
    {
        using (cancellation)
        using (var activity = EngineTelemetry.Activities.StartActivity("turn.run", ActivityKind.Internal, parent))
        {
            activity?.SetTag("turn.id", request.TurnId);
            activity?.SetTag("conversation.id", request.ConversationId);
            var started = services.Clock.GetTimestamp();
            TurnResult result;
            try
            {
                if (readMark is { PlatformId: not null, Recipient: not null })
                {
                    _ = ShowReadAndTyping(request.ChannelId, readMark.Recipient, readMark.PlatformId, typing: true, cancellation.Token);
                }
                result = await services.Scheduler.Run(request.OrganizationId, ct => services.Runner.Run(request, ct), cancellation.Token);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                LogTurnFailed(services.Logger, failure, request.TurnId, request.ConversationId);
                result = new TurnResult { Outcome = "escalated", Escalate = true, Record = new TurnRecord { Responder = "built_in", Error = failure.Message } };
            }
            Post(new TurnEnded(request.TurnId, request.Attempt, result, services.Clock.GetElapsedTime(started)), self);
        }
    }

    private async Task EndTurn(TurnEnded ended)
    {
        await Load();
        if (_state?.Turn is not { } turn || turn.Id != ended.TurnId || turn.Attempt != ended.Attempt || await Channel() is not { } channel)
        {
            return;
        }
        var answered = turn.LastSequence;
        var connector = services.Connectors.For(channel.Platform);
        var plan = TurnDecision.Complete(_state, ended.TurnId, ended.Attempt, ended.Result, connector, channel, services.Clock.GetUtcNow(), services.NewId);
        if (plan is null)
        {
            return;
        }
        var queued = _queuedFrom > answered ? _queuedFrom : 0;
        var outcome = await Commit(plan);
        if (outcome.Status != CommitStatus.Committed)
        {
            // Forgotten: the load that follows finds the turn unfinished and runs it again.
            return;
        }
        EngineTelemetry.Turns.Add(1, new("outcome", ended.Result.Outcome), new("responder", ended.Result.Record.Responder));
        EngineTelemetry.TurnDuration.Record(ended.Duration.TotalMilliseconds);
        LogTurnEnded(services.Logger, ended.TurnId, _state!.Id, ended.Result.Outcome, ended.Result.Record.Responder, turn.TraceId);
        _queuedFrom = 0;
        if (queued > 0 && TurnDecision.StartQueued(
            _state, queued, channel, await Allowance(_state.OrganizationId), services.Instance.Id, services.Clock.GetUtcNow(), services.NewId, turn.TraceId) is { } next)
        {
            await Commit(next);
        }
    }

    /// <summary>The conversation waited for lack of quota: what nobody has answered meanwhile is answered now, if the AI may.</summary>
    private async Task GoOn()
    {
        var now = services.Clock.GetUtcNow();
        var allowance = await Allowance(_state!.OrganizationId);
        if (!allowance.Permits(_state.CountedMonth, now) || await Channel() is not { } channel
            || await services.Store.FirstUnanswered(_state.Id, CancellationToken.None).OrUnavailable() is not { } first)
        {
            return;
        }
        var active = _state with { Status = ConversationStatus.Active };
        if (TurnDecision.StartQueued(active, first, channel, allowance, services.Instance.Id, now, services.NewId, null) is { } plan)
        {
            await Commit(plan);
        }
    }

    private async Task StartSettled()
    {
        _settleTimer?.Dispose();
        _settleTimer = null;
        if (_state?.Turn is not { StartedAt: null } turn || await Channel() is not { } channel)
        {
            return;
        }
        await Commit(TurnDecision.Start(
            _state, turn, channel, await Allowance(_state.OrganizationId), services.Instance.Id, services.Clock.GetUtcNow(), services.NewId, isRepeated: false));
    }

    private void StopTurn()
    {
        _settleTimer?.Dispose();
        _settleTimer = null;
        var cancellation = _turnCancellation;
        _turnCancellation = null;
        try
        {
            cancellation?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The run ended by itself a moment ago; what it posted is out of date and will be thrown away.
            _turnCancellation = null;
        }
    }

    private void RememberForReadMark(InboundBatch batch)
    {
        for (var i = batch.Messages.Length - 1; i >= 0; i--)
        {
            if (batch.Messages[i] is { IsEcho: false, IsSilent: false, IsUpdate: false } said && ContentTypes.IsSaid(said.ContentType))
            {
                _lastInboundPlatformId = batch.Messages[i].PlatformMessageId;
                return;
            }
        }
    }

    private void TellPlatformRead()
    {
        var (state, platformId) = (_state!, _lastInboundPlatformId);
        _ = Task.Run(async () =>
        {
            var id = platformId ?? await services.Store.LastInboundPlatformId(state.Id, services.Stopping);
            if (id is not null && state.Recipient is not null)
            {
                await ShowReadAndTyping(state.ChannelId, state.Recipient, id, typing: false, services.Stopping);
            }
        });
    }

    /// <summary>Best effort: an answer does not depend on it.</summary>
    private async Task ShowReadAndTyping(Guid channelId, string recipient, string platformId, bool typing, CancellationToken cancellationToken)
    {
        try
        {
            if (await services.Channels.Find(channelId, cancellationToken) is { BrokenReason: null } channel)
            {
                await services.Connectors.For(channel.Platform).MarkReadAndTyping(channel, recipient, platformId, typing, cancellationToken);
            }
        }
        catch (Exception failure)
        {
            if (!cancellationToken.IsCancellationRequested)
            {
                LogReadMarkFailed(services.Logger, channelId, failure.GetType().Name, failure.Message);
            }
        }
    }

    /// <summary>Hands something that ended outside to the grain, which takes it in when it is not doing anything else.</summary>
    private void Post(object ended, IConversationWork self)
    {
        lock (_gate)
        {
            (_ended ??= []).Add(ended);
        }
        _ = WorkKnock.UntilOpened(self, services, _key.ChannelId);
    }

    private object? TakeEnded()
    {
        lock (_gate)
        {
            if (_ended is not { Count: > 0 })
            {
                return null;
            }
            var first = _ended[0];
            _ended.RemoveAt(0);
            return first;
        }
    }

    private sealed record TurnEnded(Guid TurnId, int Attempt, TurnResult Result, TimeSpan Duration);

    private sealed record DeliveryEnded(OutboxItem Item, DeliveryEnd End);

    private sealed record SendDue(CancellationTokenSource Wait);
}
