using System.Text.Json;
using AgentPlatform.Data.Tenancy;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Data.Jobs;

/// <summary>A run of a job, in the hands of its work: through it, chunks are committed together with the position that they lead to.</summary>
/// <param name="job">What was claimed.</param>
/// <param name="instanceId">The process that holds the lease.</param>
/// <param name="options">How often progress is told.</param>
/// <param name="clock">For that.</param>
/// <param name="tell">Tells live views, after a commit that they can see.</param>
/// <param name="yields">Whether others are to go on in its place; null for never.</param>
public sealed class JobRun(Job job, Guid instanceId, JobOptions options, TimeProvider clock, Action tell, Func<bool>? yields = null)
{
    /// <summary>
    /// A chunk's last statement. No row: the lease is lost, or the job is to be cancelled. Leases that were lost are forgotten only where it got further: one that begins at the beginning
    /// each time ends its process as often. Progress is kept with the position, told or not: whoever goes on from the one goes on from the other.
    /// </summary>
    private const string Statement = """
        UPDATE jobs SET lost_leases = CASE WHEN $4 IS NULL OR $4 IS NOT DISTINCT FROM position THEN lost_leases ELSE 0 END, position = $4, progress = $5,
            version = CASE WHEN $6 THEN version + 1 ELSE version END, changed_in = CASE WHEN $6 THEN pg_current_xact_id() ELSE changed_in END
        WHERE id = $1 AND instance_id = $2 AND attempts = $3 AND status = 'processing' AND cancel_requested_at IS NULL
        """;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    private DateTimeOffset _toldAt = DateTimeOffset.MinValue;

    public Job Job => job;

    public JobOptions Options => options;

    /// <summary>The last progress, told or not.</summary>
    public JobProgress Progress { get; private set; } = JsonSerializer.Deserialize<JobProgress>(job.Progress, Json) ?? new();

    /// <summary>The job's payload.</summary>
    public T Payload<T>() => JsonSerializer.Deserialize<T>(job.Payload, Json) ?? throw new JobFailedException("The job has no payload.");

    /// <summary>The last committed position; null at the beginning.</summary>
    public T? Position<T>()
        where T : class => job.Position is null ? null : JsonSerializer.Deserialize<T>(job.Position, Json);

    /// <summary>Commits a chunk: all that the session did, and the position after it.</summary>
    /// <exception cref="JobLeaseLostException">Nothing was committed.</exception>
    /// <exception cref="JobYieldsException">It was committed, and others are to go on in its place.</exception>
    public async Task Commit(TenantSession session, object? position, JobProgress progress, CancellationToken cancellationToken)
    {
        var isTold = IsDue(progress);
        if (await session.ExecuteAsync(Statement, cancellationToken, Values(position, progress, isTold)).ConfigureAwait(false) == 0)
        {
            throw new JobLeaseLostException();
        }
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        Committed(position, progress, isTold);
    }

    /// <summary>The same for a transaction of the engine.</summary>
    /// <exception cref="JobLeaseLostException">Nothing was committed.</exception>
    /// <exception cref="JobYieldsException">It was committed, and others are to go on in its place.</exception>
    public async Task Commit(NpgsqlTransaction transaction, object? position, JobProgress progress, CancellationToken cancellationToken)
    {
        var isTold = IsDue(progress);
        await using var command = new NpgsqlCommand(Statement, transaction.Connection, transaction);
        foreach (var value in Values(position, progress, isTold))
        {
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
        }
        if (await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false) == 0)
        {
            throw new JobLeaseLostException();
        }
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        Committed(position, progress, isTold);
    }

    private bool IsDue(JobProgress progress) => clock.GetUtcNow() - _toldAt >= options.ProgressInterval || progress.Phase != Progress.Phase;

    private object?[] Values(object? position, JobProgress progress, bool isTold) =>
    [
        job.Id, instanceId, job.Attempt,
        new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Jsonb, Value = position is null ? DBNull.Value : JsonSerializer.Serialize(position, Json) },
        new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Jsonb, Value = ToJson(progress) },
        isTold,
    ];

    private void Committed(object? position, JobProgress progress, bool isTold)
    {
        Progress = progress;
        if (isTold)
        {
            _toldAt = clock.GetUtcNow();
            tell();
        }
        // Without a position there is nothing from which to go on.
        if (position is not null && yields?.Invoke() == true)
        {
            throw new JobYieldsException();
        }
    }

    /// <summary>As the column keeps it.</summary>
    public static string ToJson(JobProgress progress) => JsonSerializer.Serialize(progress, Json);
}
