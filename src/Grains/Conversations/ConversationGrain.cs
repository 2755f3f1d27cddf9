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
/// names, commands, turns, sending.
/// </summary>
internal sealed partial class ConversationGrain(ConversationServices services) : Grain, IConversationGrain, IConversationWork
{
    /// <summary>Decisions taken again within one call, when a commit was refused because of duplicates or of a stale state.</summary>
    private const int MaxDecisions = 4;

    private ConversationKey _key;
    private ConversationState? _state;
    private IConversationGrain? _home;

    /// <summary>The conversation of a person who gave up the name that is this grain's key, and whose key is another.</summary>
    private StoredConversation? _former;
    private bool _isLoaded;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = ConversationKey.Parse(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public async Task<ReceiveResult> Receive(InboundBatch batch)
    {
        await Load();
        if (await HomeOfReaction(batch) is { } topic)
        {
            return await GrainOf(topic.FirstIdentity).Receive(batch with { Contact = batch.Contact with { Identities = [topic.Name] } });
        }
        if (await Home(batch) is { } home)
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
        var window = services.Connectors.For(channel.Platform).ServiceWindow;
        ImmutableHashSet<string> stored = [];
        for (var decisions = 1; ; decisions++)
        {
            await TakeNames(batch);
            var state = await WithAlbum(_state ?? Meet(batch), batch);
            var plan = InboundDecision.Decide(
                state, batch, stored, channel, allowance, services.Instance.Id, services.Clock.GetUtcNow(), services.NewId, activity?.TraceId.ToString() ?? TraceId(batch.TraceParent), window);
            if (plan.Commit is { Messages.Count: 0, Amendments.Count: 0, ContactNews: null })
            {
                EngineTelemetry.Duplicates.Add(stored.Count);
                return new ReceiveResult(0, batch.Messages.Length);
            }
            plan = await WithEarlyAmendments(plan);
            CommitOutcome outcome;
            try
            {
                outcome = await Commit(plan);
            }
            catch (PostgresException refusal) when (refusal.SqlState == PostgresErrorCodes.UniqueViolation && decisions < MaxDecisions)
            {
                // Somebody was met by a name of this person's at the same moment: read again whose it is.
                outcome = new CommitOutcome(CommitStatus.Conflict, [], []);
            }
            if (outcome.Status == CommitStatus.Committed)
            {
                var received = batch.Messages.Length - stored.Count;
                EngineTelemetry.Messages.Add(received, new KeyValuePair<string, object?>("direction", "inbound"));
                RememberForReadMark(batch);
                foreach (var (name, _) in plan.Commit.ContactNews?.GivenUp ?? [])
                {
                    if (name != _key.PlatformUserId)
                    {
                        // It leads here no more.
                        await GrainOf(name).Forget();
                    }
                }
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

    public Task Forget()
    {
        ForgetAll();
        return Task.CompletedTask;
    }

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
        _former = null;
        var stored = await services.Store.Load(_key.ChannelId, _key.PlatformUserId, CancellationToken.None).OrUnavailable();
        _isLoaded = true;
        if (stored is null)
        {
            return;
        }
        if (stored.FirstIdentity != _key.PlatformUserId)
        {
            // The same person under another of the platform's names: the grain of the first name holds the conversation. Not where the person gave this one up: then it is
            // decided again for each batch whose it is.
            _home = stored.Identities.Contains(_key.PlatformUserId) ? GrainOf(stored.FirstIdentity) : null;
            _former = _home is null ? stored : null;
            return;
        }
        _state = ConversationState.From(stored, _key.ChannelId);
        await TakeUp(stored);
    }

    /// <summary>Writes a plan. When it is durable, its state takes the place of the old one and its work starts.</summary>
    private async Task<CommitOutcome> Commit(ConversationPlan plan)
    {
        var withdrawn = plan.WithdrawsAiMessages ? Withdrawn() : [];
        var outcome = await Write(withdrawn.Count == 0 ? plan.Commit : plan.Commit with { Deliveries = withdrawn });
        switch (outcome.Status)
        {
            case CommitStatus.Committed:
                Apply(plan, outcome);
                if (plan.Commit.Amendments.Count > 0)
                {
                    RememberEarly(plan.Commit, outcome);
                }
                if (plan.Commit.Turn is { FinishedAt: not null } ended)
                {
                    services.Usage.Used(plan.Next.OrganizationId, (long)ended.InputTokens + ended.OutputTokens, plan.Commit.CountsConversation);
                }
                services.Live.Changed(plan.Next.OrganizationId, plan.Next.Id);
                break;
            case CommitStatus.Conflict:
                EngineTelemetry.Conflicts.Add(1);
                LogStale(services.Logger, plan.Next.Id, plan.Commit.Advance!.ExpectedVersion);
                ForgetAll();
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
            ForgetAll();
            throw new StorageUnavailableException("Postgres can't be reached, or ended the connection.", failure);
        }
        catch (PostgresException)
        {
            ForgetAll();
            throw;
        }
    }

    private void Apply(ConversationPlan plan, CommitOutcome outcome)
    {
        var before = _state;
        _state = outcome.Preview is { } preview ? plan.Next with { LastMessagePreview = preview } : plan.Next;
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
    private void ForgetAll()
    {
        StopTurn();
        ForgetOutbox();
        _state = null;
        _home = null;
        _former = null;
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
