using System.Collections.Immutable;
using System.Diagnostics;
using AgentPlatform.Billing;
using AgentPlatform.Channels;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Grains.Telemetry;
using Npgsql;

namespace AgentPlatform.Grains.Conversations;

/// <summary>
/// Receives, decides with the plain functions beside it, commits, and replies. This part: incoming messages and commits. The others:
/// commands, turns, sending.
/// </summary>
internal sealed partial class ConversationGrain(ConversationServices services) : Grain, IConversationGrain, IConversationWork
{
    /// <summary>Decisions taken anew within one call, when a commit was refused because of duplicates or of a stale state.</summary>
    private const int MaxDecisions = 4;

    private ConversationKey _key;
    private ConversationState? _state;
    private IConversationGrain? _home;
    private bool _isLoaded;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = ConversationKey.Parse(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public async Task<ReceiveResult> Receive(InboundBatch batch)
    {
        await Load();
        if (await Home(batch.Contact.Identities) is { } home)
        {
            return await home.Receive(batch);
        }
        var told = batch.Messages.Length;
        batch = await TakeOwnEchoes(batch);
        if (batch.Messages.IsEmpty && told > 0)
        {
            return new ReceiveResult(0, told);
        }
        using var activity = EngineTelemetry.Start("conversation.receive", ActivityKind.Internal, batch.TraceParent);
        var channel = await Channel();
        if (channel is null || channel.OrganizationId != batch.OrganizationId)
        {
            throw new InvalidOperationException($"Channel {_key.ChannelId} does not exist in the organization that the webhook was verified for.");
        }
        var allowance = await Allowance(batch.OrganizationId);
        ImmutableHashSet<string> stored = [];
        for (var decisions = 1; ; decisions++)
        {
            var state = _state ?? Meet(batch);
            var plan = InboundDecision.Decide(
                state, batch, stored, channel, allowance, services.Instance.Id, services.Clock.GetUtcNow(), services.NewId, activity?.TraceId.ToString() ?? TraceId(batch.TraceParent));
            if (plan.Commit is { Messages.Count: 0, ContactNews: null })
            {
                EngineTelemetry.Duplicates.Add(stored.Count);
                return new ReceiveResult(0, batch.Messages.Length);
            }
            var outcome = await Commit(plan);
            if (outcome.Status == CommitStatus.Committed)
            {
                var received = batch.Messages.Length - stored.Count;
                EngineTelemetry.Messages.Add(received, new KeyValuePair<string, object?>("direction", "inbound"));
                RememberForReadMark(batch);
                LogReceived(services.Logger, received, stored.Count, state.Id, batch.TraceParent);
                return new ReceiveResult(received, stored.Count);
            }
            if (decisions == MaxDecisions)
            {
                throw new StorageUnavailableException("The conversation was changed elsewhere at the same time; try again.");
            }
            stored = stored.Union(outcome.Duplicates);
            await Load();
            if (_home is not null)
            {
                return await _home.Receive(batch);
            }
        }
    }

    public Task RecordReceipts(Guid organizationId, ImmutableArray<DeliveryReceipt> receipts) =>
        GrainFactory.GetGrain<IReceiptGrain>(_key.ChannelId).Record(organizationId, receipts);

    public async Task Wake()
    {
        if (_state is { Turn: null } && _underWay is null && _outbox is not { Count: > 0 })
        {
            // The sweep found work here, and nothing is being done: what is in memory misses something that is in Postgres.
            _isLoaded = false;
            _state = null;
        }
        await Load();
        if (_state is not null && UsageDecision.IsWaiting(_state))
        {
            await GoOn();
        }
    }

    /// <summary>Reads the conversation, and takes up what is unfinished. Does nothing when it is in memory.</summary>
    private async Task Load()
    {
        if (_isLoaded && (_state is not null || _home is not null))
        {
            return;
        }
        var stored = await services.Store.Load(_key.ChannelId, _key.PlatformUserId, CancellationToken.None).OrUnavailable();
        _isLoaded = true;
        if (stored is null)
        {
            return;
        }
        if (stored.PrimaryIdentity != _key.PlatformUserId)
        {
            // The same person under another of the platform's names: the grain of the first name holds the conversation.
            _home = GrainFactory.GetGrain<IConversationGrain>((_key with { PlatformUserId = stored.PrimaryIdentity }).ToString());
            return;
        }
        _state = ConversationState.From(stored, _key.ChannelId);
        await TakeUp(stored);
    }

    /// <summary>
    /// A person met here for the first time may be known by another of the names in the message; then the conversation is that one's.
    /// </summary>
    private async Task<IConversationGrain?> Home(ImmutableArray<string> identities)
    {
        if (_home is not null || _state is not null || identities.Length < 2)
        {
            return _home;
        }
        var others = identities.Where(identity => identity != _key.PlatformUserId).ToArray();
        if (await services.Store.Adopt(_key.ChannelId, _key.PlatformUserId, others, CancellationToken.None).OrUnavailable() is { } first)
        {
            _home = GrainFactory.GetGrain<IConversationGrain>((_key with { PlatformUserId = first }).ToString());
        }
        return _home;
    }

    private ConversationState Meet(InboundBatch batch) => new()
    {
        Id = services.NewId(),
        OrganizationId = batch.OrganizationId,
        ChannelId = _key.ChannelId,
        ContactId = services.NewId(),
        Identities = [_key.PlatformUserId, .. batch.Contact.Identities.Where(identity => identity != _key.PlatformUserId)],
    };

    /// <summary>Writes a plan. When it is durable, its state takes the place of the old one and its work starts.</summary>
    private async Task<CommitOutcome> Commit(ConversationPlan plan)
    {
        var withdrawn = plan.WithdrawsAiMessages ? Withdrawn() : [];
        var outcome = await Write(withdrawn.Count == 0 ? plan.Commit : plan.Commit with { Deliveries = withdrawn });
        switch (outcome.Status)
        {
            case CommitStatus.Committed:
                Apply(plan);
                if (plan.Commit.Turn is { FinishedAt: not null } ended)
                {
                    services.Usage.Used(plan.Next.OrganizationId, (long)ended.InputTokens + ended.OutputTokens, plan.Commit.CountsConversation);
                }
                services.Live.Changed(plan.Next.OrganizationId, plan.Next.Id);
                break;
            case CommitStatus.Conflict:
                EngineTelemetry.Conflicts.Add(1);
                LogStale(services.Logger, plan.Next.Id, plan.Commit.Advance!.ExpectedVersion);
                Forget();
                break;
        }
        return outcome;
    }

    private async Task<CommitOutcome> Write(ConversationCommit commit)
    {
        try
        {
            return await services.Writer.Commit(commit);
        }
        catch (StorageAwayException failure)
        {
            // Whether it was committed is unknown: read again before deciding anything.
            Forget();
            throw new StorageUnavailableException("Postgres can't be reached, or ended the connection.", failure);
        }
        catch (PostgresException)
        {
            Forget();
            throw;
        }
    }

    private void Apply(ConversationPlan plan)
    {
        var before = _state;
        _state = plan.Next;
        if (plan.StopsTurn || plan.Next.Turn is null)
        {
            StopTurn();
        }
        if (plan.QueuedFrom > 0 && _queuedFrom == 0)
        {
            _queuedFrom = plan.QueuedFrom;
        }
        if (plan.WithdrawsAiMessages)
        {
            ForgetWithdrawn();
        }
        if (plan.ToSend.Count > 0)
        {
            EnqueueToSend(plan.ToSend);
        }
        if (plan.Next.Turn is { } turn && !ReferenceEquals(turn, before?.Turn))
        {
            BeginTurn(turn);
        }
    }

    /// <summary>Throws the state away and stops what it started; the next call reads again, in a new activation.</summary>
    private void Forget()
    {
        StopTurn();
        ForgetOutbox();
        _state = null;
        _home = null;
        _isLoaded = false;
        _queuedFrom = 0;
        DeactivateOnIdle();
        _ = WorkKnock.UntilOpened(this.AsReference<IConversationWork>(), services, _key.ChannelId, WorkKnock.FirstWait);
    }

    private static string? TraceId(string? traceParent) =>
        ActivityContext.TryParse(traceParent, null, out var context) ? context.TraceId.ToString() : null;

    /// <summary>In memory but for the first time; without an allocation then.</summary>
    private ValueTask<ChannelSettings?> Channel()
    {
        var found = services.Channels.Find(_key.ChannelId, CancellationToken.None);
        return found.IsCompletedSuccessfully ? found : new ValueTask<ChannelSettings?>(found.AsTask().OrUnavailable());
    }

    /// <summary>In memory but for the first time, and after it changed; without an allocation then.</summary>
    private ValueTask<AiAllowance> Allowance(Guid organizationId)
    {
        var found = services.Usage.Get(organizationId);
        return found.IsCompletedSuccessfully ? found : new ValueTask<AiAllowance>(found.AsTask().OrUnavailable());
    }
}
