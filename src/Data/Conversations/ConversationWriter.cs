using System.Threading.Channels;
using AgentPlatform.Data.Connections;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace AgentPlatform.Data.Conversations;

/// <summary>Limits of the writer.</summary>
public sealed record ConversationWriterOptions
{
    /// <summary>
    /// Most connections that write at the same time: Postgres works on one batch while this process makes the next.
    /// </summary>
    public int Lanes { get; init; } = 2;

    /// <summary>
    /// A further lane starts only when so many commits wait, or the others are slow: a batch costs Postgres and this process as much as some
    /// five of its commits, so that few large ones carry more than many small ones.
    /// </summary>
    public int AnotherLaneFrom { get; init; } = 8;

    /// <summary>
    /// How long a batch gathers, where nothing else is under way, after one that carried several commits: until <see cref="AnotherLaneFrom"/> wait. Without it a loaded
    /// machine settles at batches of one or two, each as dear as eight. A commit that comes alone after one that came alone never waits.
    /// </summary>
    public TimeSpan GatherTime { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Most commits in one transaction.</summary>
    public int MaxBatchSize { get; init; } = 128;

    /// <summary>Most commits waiting; beyond it a commit is refused at once instead of waiting for ever.</summary>
    public int MaxQueueLength { get; init; } = 50_000;

    /// <summary>How long one transaction may take.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(15);
}

/// <summary>
/// Commits many conversations together: a batch is what has queued while the last one was under way, and a moment longer where there is traffic,
/// so that a single commit is as quick as its statement, and a flood travels a hundred to a transaction.
/// </summary>
public sealed partial class ConversationWriter : IHostedService, IAsyncDisposable
{
    /// <summary>How long a batch may take before what has queued behind it goes another way.</summary>
    private static readonly TimeSpan SlowBatch = TimeSpan.FromMilliseconds(20);

    /// <summary>How often a commit is written again that met another for the same row or id.</summary>
    private const int MaxMeetings = 5;

    private readonly EngineDataSource _database;
    private readonly ConversationWriterOptions _options;
    private readonly ILogger<ConversationWriter> _logger;
    private readonly Channel<Pending> _queue = Channel.CreateUnbounded<Pending>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly Channel<Lane> _idle;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _starting = new();
    private Task _dispatching = Task.CompletedTask;
    private bool _isStarted;
    private int _waiting;
    private int _working;
    private int _disposed;

    public ConversationWriter(EngineDataSource database, IOptions<ConversationWriterOptions> options, ILogger<ConversationWriter> logger)
    {
        _database = database;
        _options = options.Value;
        _logger = logger;
        _idle = Channel.CreateUnbounded<Lane>();
        for (var i = 0; i < _options.Lanes; i++)
        {
            _idle.Writer.TryWrite(new Lane(_options.MaxBatchSize));
        }
    }

    /// <summary>Commits waiting for a lane.</summary>
    public int QueueLength => Volatile.Read(ref _waiting);

    /// <summary>
    /// Returns when the commit is durable, or was refused. Throws <see cref="StorageAwayException"/> when Postgres can't be reached or the
    /// connection broke: whether the commit happened is then unknown, and the caller must read its state again.
    /// </summary>
    public Task<CommitOutcome> Commit(ConversationCommit commit)
    {
        var waiting = Interlocked.Increment(ref _waiting);
        if (waiting > _options.MaxQueueLength)
        {
            Interlocked.Decrement(ref _waiting);
            throw new StorageAwayException($"More than MaxQueueLength ({_options.MaxQueueLength}) commits are waiting.");
        }
        var pending = new Pending(commit);
        if (!_queue.Writer.TryWrite(pending))
        {
            Interlocked.Decrement(ref _waiting);
            throw new StorageAwayException("The writer has stopped.");
        }
        if (waiting == _options.AnotherLaneFrom)
        {
            _news.Writer.TryWrite(true);
        }
        return pending.Completion.Task;
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        lock (_starting)
        {
            if (!_isStarted)
            {
                _isStarted = true;
                _dispatching = Task.Run(Dispatch, CancellationToken.None);
            }
        }
        return Task.CompletedTask;
    }

    /// <summary>Takes no more commits and finishes those that wait.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _queue.Writer.TryComplete();
        await _dispatching.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _stopping.CancelAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        // Registered under two types, it is disposed twice.
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }
        await StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task Dispatch()
    {
        var last = 0;
        // WaitToReadAsync and TryRead: ReadAsync with a cancelled token can lose an item.
        while (await _queue.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            var patience = Volatile.Read(ref _working) > 0 ? SlowBatch : last > 1 ? _options.GatherTime : TimeSpan.Zero;
            if (patience > TimeSpan.Zero && QueueLength < _options.AnotherLaneFrom && await IsNewsWithin(patience).ConfigureAwait(false))
            {
                continue;
            }
            await _idle.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false);
            _idle.Reader.TryRead(out var lane);
            while (lane!.Batch.Count < _options.MaxBatchSize && _queue.Reader.TryRead(out var pending))
            {
                lane.Batch.Add(pending);
            }
            last = lane.Batch.Count;
            Interlocked.Add(ref _waiting, -last);
            Interlocked.Increment(ref _working);
            _ = Run(lane);
        }
        for (var i = 0; i < _options.Lanes; i++)
        {
            await _idle.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false);
            if (_idle.Reader.TryRead(out var lane) && lane.Connection is { } connection)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>True when a lane has come back, or enough for another one waits; false when neither happened for so long.</summary>
    private async Task<bool> IsNewsWithin(TimeSpan patience)
    {
        // Only a task without a result can be awaited without its exception.
        Task waiting = _news.Reader.WaitToReadAsync(CancellationToken.None).AsTask().WaitAsync(patience, CancellationToken.None);
        await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _news.Reader.TryRead(out _);
    }

    private async Task Run(Lane lane)
    {
        for (var batch = lane.Batch; batch is not null;)
        {
            var repeated = TakeRepeated(batch);
            lane.Connection = await Write(lane.Connection, batch).ConfigureAwait(false);
            batch = repeated;
        }
        lane.Batch.Clear();
        Interlocked.Decrement(ref _working);
        _idle.Writer.TryWrite(lane);
        _news.Writer.TryWrite(true);
    }

    /// <summary>
    /// Takes out what a conversation has besides its first commit: each must see what the one before it did, in a transaction of its own.
    /// Null when there is none, as nearly always: two activations of one conversation are rare.
    /// </summary>
    private static List<Pending>? TakeRepeated(List<Pending> batch)
    {
        if (batch.Count < 2)
        {
            return null;
        }
        List<Pending>? repeated = null;
        var seen = new HashSet<Guid>(batch.Count);
        batch.RemoveAll(pending =>
        {
            if (pending.Commit.Advance is null || seen.Add(pending.Commit.ConversationId))
            {
                return false;
            }
            (repeated ??= []).Add(pending);
            return true;
        });
        return repeated;
    }

    private async Task<NpgsqlConnection?> Write(NpgsqlConnection? connection, List<Pending> batch)
    {
        try
        {
            connection ??= await Open().ConfigureAwait(false);
            await ConversationBatch.Execute(connection, batch, _options.CommandTimeout, _stopping.Token).ConfigureAwait(false);
            foreach (var pending in batch)
            {
                pending.Complete();
            }
        }
        catch (PostgresException refusal) when (!PostgresFailures.IsUnavailable(refusal) && connection is { State: System.Data.ConnectionState.Open })
        {
            await WriteOneByOne(connection, batch, refusal).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            LogBatchLost(_logger, batch.Count, failure.GetType().Name, failure.Message);
            foreach (var pending in batch)
            {
                pending.Completion.TrySetException(new StorageAwayException("Postgres can't be reached, or ended the connection.", failure));
            }
            if (connection is not null)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
            return null;
        }
        return connection;
    }

    /// <summary>
    /// One commit that Postgres refuses must not take the others with it. One that met another for the same platform's id is written again: by then the statements see the
    /// other's row, and know what to do about it.
    /// </summary>
    private async Task WriteOneByOne(NpgsqlConnection connection, List<Pending> batch, PostgresException refusal)
    {
        if (batch.Count == 1 && !MetAnother(refusal))
        {
            LogCommitRefused(_logger, batch[0].Commit.ConversationId, refusal.SqlState, refusal.ConstraintName ?? refusal.MessageText);
            batch[0].Completion.TrySetException(refusal);
            return;
        }
        foreach (var pending in batch)
        {
            List<Pending> alone = [pending];
            try
            {
                await Again(connection, alone).ConfigureAwait(false);
                pending.Complete();
            }
            catch (PostgresException own) when (!PostgresFailures.IsUnavailable(own) && connection.State == System.Data.ConnectionState.Open)
            {
                LogCommitRefused(_logger, pending.Commit.ConversationId, own.SqlState, own.ConstraintName ?? own.MessageText);
                pending.Completion.TrySetException(own);
            }
            catch (Exception failure)
            {
                pending.Completion.TrySetException(new StorageAwayException("Postgres can't be reached, or ended the connection.", failure));
            }
        }
    }

    private async Task Again(NpgsqlConnection connection, List<Pending> alone)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                alone[0].Reset();
                await ConversationBatch.Execute(connection, alone, _options.CommandTimeout, _stopping.Token).ConfigureAwait(false);
                return;
            }
            catch (PostgresException met) when (MetAnother(met) && attempt < MaxMeetings && connection.State == System.Data.ConnectionState.Open)
            {
                LogMetAnother(_logger, alone[0].Commit.ConversationId, met.SqlState, attempt);
            }
        }
    }

    /// <summary>Whether the commit only met another: for a platform's id, or for a lock.</summary>
    private static bool MetAnother(PostgresException refusal) => refusal.ConstraintName == "messages_once_per_platform_id" || PostgresFailures.IsConflict(refusal);

    private async Task<NpgsqlConnection> Open()
    {
        var connection = await _database.OpenConnectionAsync(_stopping.Token).ConfigureAwait(false);
        try
        {
            // Plans are made once and kept; forbidding whole-table joins, too, keeps them right while the tables grow.
            await using var settings = new NpgsqlCommand("SET enable_hashjoin = off; SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan", connection);
            await settings.ExecuteNonQueryAsync(_stopping.Token).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    [LoggerMessage(EventId = 2001, Level = LogLevel.Warning, Message = "A batch of {Commits} commits was lost with its connection ({Exception}: {Reason}); their callers read again")]
    private static partial void LogBatchLost(ILogger logger, int commits, string exception, string reason);

    [LoggerMessage(EventId = 2003, Level = LogLevel.Debug, Message = "The commit of conversation {ConversationId} met another ({SqlState}), for the {Attempt}. time; it is written again")]
    private static partial void LogMetAnother(ILogger logger, Guid conversationId, string sqlState, int attempt);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Error, Message = "The commit of conversation {ConversationId} was refused by Postgres: {SqlState} {Reason}")]
    private static partial void LogCommitRefused(ILogger logger, Guid conversationId, string sqlState, string reason);
}

/// <summary>Postgres can't be reached; whether the commit happened is unknown.</summary>
public sealed class StorageAwayException : Exception
{
    public StorageAwayException()
    {
    }

    public StorageAwayException(string message) : base(message)
    {
    }

    public StorageAwayException(string message, Exception innerException) : base(message, innerException)
    {
    }
}

/// <summary>A commit that waits, and its outcome as the statements report it.</summary>
internal sealed class Pending(ConversationCommit commit)
{
    private List<string>? _duplicates;
    private List<MovedDelivery>? _moved;
    private List<int>? _unfound;
    private List<EarlyReceipt>? _early;
    private List<string>? _amended;

    public ConversationCommit Commit { get; } = commit;

    public TaskCompletionSource<CommitOutcome> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool Advanced { get; set; }

    public void AddDuplicate(string platformMessageId) => (_duplicates ??= []).Add(platformMessageId);

    /// <summary>What lists show of the conversation after an amendment.</summary>
    public string? Preview { get; set; }

    public void AddMoved(MovedDelivery moved) => (_moved ??= []).Add(moved);

    public void AddUnfound(int index) => (_unfound ??= []).Add(index);

    public void AddEarly(EarlyReceipt receipt) => (_early ??= []).Add(receipt);

    public void AddAmended(string platformMessageId) => (_amended ??= []).Add(platformMessageId);

    public void Reset()
    {
        Advanced = false;
        _duplicates = null;
        _moved = null;
        _unfound = null;
        _early = null;
        _amended = null;
        Preview = null;
    }

    public void Complete()
    {
        var status = Commit.Advance is null || Advanced ? CommitStatus.Committed : _duplicates is null ? CommitStatus.Conflict : CommitStatus.Duplicate;
        Completion.TrySetResult(new CommitOutcome(status, (IReadOnlyList<string>?)_duplicates ?? [], _moved is null ? [] : [.. _moved.Select(static moved => moved.Index)])
        {
            Moved = (IReadOnlyList<MovedDelivery>?)_moved ?? [],
            Unfound = _unfound is null ? [] : [.. _unfound.Where(index => _moved is null || !_moved.Exists(moved => moved.Index == index))],
            Amended = (IReadOnlyList<string>?)_amended ?? [],
            Preview = Preview,
            Early = (IReadOnlyList<EarlyReceipt>?)_early ?? [],
        });
    }
}

/// <summary>One connection, and the batch that it carries.</summary>
internal sealed class Lane(int batchSize)
{
    public List<Pending> Batch { get; } = new(batchSize);

    public NpgsqlConnection? Connection { get; set; }
}
