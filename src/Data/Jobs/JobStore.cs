using System.Net;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Json;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Data.Jobs;

/// <summary>The engine's hold on jobs: claiming, ending, and finding what nobody holds.</summary>
public sealed class JobStore(EngineDataSource database)
{
    /// <summary>What <see cref="Read"/> reads.</summary>
    private const string Columns = "j.id, j.organization_id, j.user_id, j.work, j.payload::text, j.progress::text, j.position::text, j.attempts, j.ip_address, j.user_agent, j.api_key_id, j.lost_leases";

    /// <summary>One claim of an organization, and of a person, at a time, so that their limits hold. The person comes last, so that claims don't wait in a circle.</summary>
    private const string Lock = """
        SELECT pg_advisory_xact_lock(hashtextextended('jobs of ' || coalesce(held.user_id, held.id)::text, 0))
        FROM (SELECT j.id, j.user_id, pg_advisory_xact_lock(hashtextextended('jobs ' || j.organization_id::text, 0)) FROM jobs j WHERE j.id = $1 OFFSET 0) held
        """;

    private const string TryClaim = $"""
        UPDATE jobs j
        SET status = 'processing', lost_leases = CASE WHEN j.status = 'processing' AND j.instance_id IS NOT NULL THEN j.lost_leases + 1 ELSE j.lost_leases END, instance_id = $2, attempts = j.attempts + 1, started_at = coalesce(j.started_at, now()), version = j.version + 1, changed_in = pg_current_xact_id()
        WHERE j.id = $1 AND j.due_at <= now() AND j.cancel_requested_at IS NULL AND (
            (j.status = 'pending' AND (SELECT count(*) FROM jobs o WHERE o.organization_id = j.organization_id AND o.status = 'processing') < $3
                AND (j.user_id IS NULL OR (SELECT count(*) FROM jobs o WHERE o.user_id = j.user_id AND o.status = 'processing') < $5))
            OR (j.status = 'processing' AND j.instance_id IS DISTINCT FROM $2
                AND NOT EXISTS (SELECT FROM engine_instances i WHERE i.id = j.instance_id AND i.heartbeat_at > now() - $4)))
        RETURNING {Columns}
        """;

    /// <summary>Jobs that may run and that no living process holds: those of dead silos, those that wait and have a place, those to be cancelled.</summary>
    private const string FindIdle = """
        SELECT found.id FROM (
            SELECT j.id, j.due_at, j.status, j.organization_id, j.user_id, row_number() OVER (PARTITION BY j.organization_id, j.status ORDER BY j.due_at, j.id) AS place,
                row_number() OVER (PARTITION BY j.user_id, j.status ORDER BY j.due_at, j.id) AS place_of_person
            FROM jobs j
            WHERE j.status IN ('pending', 'processing') AND j.due_at <= now()
                AND (j.status = 'pending' OR NOT EXISTS (SELECT FROM engine_instances i WHERE i.id = j.instance_id AND i.heartbeat_at > now() - $1))) found
        WHERE found.status = 'processing'
            OR (found.place <= $2 - (SELECT count(*) FROM jobs o WHERE o.organization_id = found.organization_id AND o.status = 'processing')
                AND (found.user_id IS NULL OR found.place_of_person <= $4 - (SELECT count(*) FROM jobs o WHERE o.user_id = found.user_id AND o.status = 'processing')))
        ORDER BY found.due_at LIMIT $3
        """;

    private const string Ended = """
        WITH ended AS (
            UPDATE jobs SET status = $4, result = $5, error = $6, progress = $7, instance_id = NULL, version = version + 1, changed_in = pg_current_xact_id(),
                duration = least(extract(epoch FROM now() - started_at) * 1000, 2147483647)::integer,
                completed_at = CASE WHEN $4 = 'completed' THEN now() END,
                failed_at = CASE WHEN $4 = 'failed' THEN now() END,
                cancelled_at = CASE WHEN $4 = 'cancelled' THEN now() END
            WHERE id = $1 AND instance_id = $2 AND attempts = $3 AND status = 'processing'
            RETURNING id, organization_id, user_id, type, attempts
        ), told AS (
            SELECT e.id, CASE WHEN e.user_id IS NOT NULL AND $4 <> 'cancelled' THEN notify_member(
                e.organization_id, e.user_id, 'job_finished', NULL, $6, 'job', e.id, format('job %s ended %s', e.id, e.attempts),
                CASE $4 WHEN 'completed' THEN 'jobDone' ELSE 'jobFailed' END, ARRAY[e.type]) END AS notification
            FROM ended e
        )
        SELECT count(id), count(notification) FROM told
        """;

    /// <summary>Takes the job for this process; null when it may not run now, or somebody else has it.</summary>
    public async Task<Job?> Claim(Guid jobId, Guid instanceId, JobOptions options, TimeSpan deadAfter, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (var held = Command(Lock, connection, transaction, jobId))
        {
            await held.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
        Job? job = null;
        await using (var claim = Command(TryClaim, connection, transaction, jobId, instanceId, (long)options.PerOrganization, deadAfter, (long)options.PerPerson))
        await using (var row = await claim.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false))
        {
            if (await row.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                job = Read(row);
            }
        }
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return job;
    }

    /// <summary>Why a job may not run for whoever asked for it, as things stand now; null where it may.</summary>
    public async Task<string?> Refusal(Job job, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT job_refusal($1)");
        Add(command, job.Id);
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as string;
    }

    /// <summary>The job as it is now, for a run that tries again; null when this run no longer holds it.</summary>
    public async Task<Job?> Reread(Job job, Guid instanceId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"""
            SELECT {Columns}
            FROM jobs j WHERE j.id = $1 AND j.instance_id = $2 AND j.attempts = $3 AND j.status = 'processing' AND j.cancel_requested_at IS NULL
            """);
        Add(command, job.Id, instanceId, job.Attempt);
        await using var row = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        return await row.ReadAsync(cancellationToken).ConfigureAwait(false) ? Read(row) : null;
    }

    /// <summary>Ends a run, and tells whoever asked for it. False when it held the job no longer.</summary>
    public async Task<bool> End(JobRun run, Guid instanceId, string status, string? result, string? error, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Ended);
        Add(
            command, run.Job.Id, instanceId, run.Job.Attempt, status, Json(result), new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Text, Value = error is null ? DBNull.Value : JsonText.Storable(error) }, Json(JobRun.ToJson(run.Progress)));
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is > 0L;
    }

    /// <summary>Ends a job that was asked to be cancelled and that no living process holds.</summary>
    public async Task<bool> EndCancelled(Guid jobId, Guid instanceId, TimeSpan deadAfter, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            UPDATE jobs j SET status = 'cancelled', cancelled_at = now(), instance_id = NULL, version = j.version + 1, changed_in = pg_current_xact_id(),
                duration = least(extract(epoch FROM now() - j.started_at) * 1000, 2147483647)::integer
            WHERE j.id = $1 AND j.status = 'processing' AND j.cancel_requested_at IS NOT NULL
                AND (j.instance_id IS NULL OR j.instance_id = $2 OR NOT EXISTS (SELECT FROM engine_instances i WHERE i.id = j.instance_id AND i.heartbeat_at > now() - $3))
            """);
        Add(command, jobId, instanceId, deadAfter);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false) > 0;
    }

    /// <summary>Puts a job that has run for a while behind those that wait.</summary>
    public async Task Pause(Job job, Guid instanceId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            UPDATE jobs SET status = CASE WHEN cancel_requested_at IS NULL THEN 'pending' ELSE status END, instance_id = NULL, due_at = now(), version = version + 1, changed_in = pg_current_xact_id()
            WHERE id = $1 AND instance_id = $2 AND attempts = $3 AND status = 'processing'
            """);
        Add(command, job.Id, instanceId, job.Attempt);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Lets go of a job that this process can't finish now: any other may take it up at once.</summary>
    public async Task Release(Job job, Guid instanceId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("UPDATE jobs SET instance_id = NULL WHERE id = $1 AND instance_id = $2 AND attempts = $3 AND status = 'processing'");
        Add(command, job.Id, instanceId, job.Attempt);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Jobs that may run and that nobody holds.</summary>
    public async Task<IReadOnlyList<Guid>> Idle(TimeSpan deadAfter, JobOptions options, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(FindIdle);
        Add(command, deadAfter, (long)options.PerOrganization, limit, (long)options.PerPerson);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var found = new List<Guid>();
        while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            found.Add(rows.GetGuid(0));
        }
        return found;
    }

    private static Job Read(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetGuid(1), row.IsDBNull(2) ? null : row.GetGuid(2), row.GetString(3), row.GetString(4), row.GetString(5), row.IsDBNull(6) ? null : row.GetString(6), row.GetInt32(7))
    {
        IpAddress = row.IsDBNull(8) ? null : row.GetFieldValue<IPAddress>(8),
        UserAgent = row.IsDBNull(9) ? null : row.GetString(9),
        ApiKeyId = row.IsDBNull(10) ? null : row.GetGuid(10),
        LostLeases = row.GetInt32(11),
    };

    private static NpgsqlParameter Json(string? json) => new() { NpgsqlDbType = NpgsqlDbType.Jsonb, Value = (object?)json ?? DBNull.Value };

    private static NpgsqlCommand Command(string sql, NpgsqlConnection connection, NpgsqlTransaction transaction, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection, transaction);
        Add(command, values);
        return command;
    }

    private static void Add(NpgsqlCommand command, params object[] values)
    {
        foreach (var value in values)
        {
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
        }
    }
}
