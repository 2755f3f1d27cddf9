using System.Text.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Jobs;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Transfer.Sheets;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Json;
using AgentPlatform.Data.Tenancy;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Transfer;

/// <summary>Imports a file into a resource, chunk by chunk: what goes in, what is wrong with other lines, and the place after them are one transaction.</summary>
internal sealed class ImportWork(IServiceProvider services, ApiDataSource database, FileStore files, TimeProvider clock) : IJobWork
{
    public const string WorkName = "resource_import";

    /// <summary>Lines of a chunk.</summary>
    public const int ChunkLines = 1000;

    /// <summary>A chunk ends earlier when its lines have so many bytes.</summary>
    public const int ChunkBytes = 4 * 1024 * 1024;

    public string Name => WorkName;

    public async Task<string?> Run(JobRun run, CancellationToken cancellationToken)
    {
        var order = run.Payload<ImportOrder>();
        var resource = ResourceCatalog.All.FirstOrDefault(known => known.Path == order.Resource && known.Import is not null)
            ?? throw new JobFailedException($"{order.Resource} can't be imported.");
        var caller = await Caller(run, resource, order, cancellationToken);
        var size = await files.Find(caller.Tenant, order.FileId, cancellationToken) ?? throw new JobFailedException(ByteWindow.Gone);
        BulkInsert bulk;
        string timeZone;
        await using (var session = await TenantSession.OpenAsync(database, caller.Tenant, cancellationToken))
        {
            bulk = await BulkInsert.Prepare(session, resource, cancellationToken);
            timeZone = await session.ScalarAsync<string>("SELECT time_zone FROM organizations WHERE id = $1", cancellationToken, caller.OrganizationId) ?? "UTC";
        }
        var window = new ByteWindow(new FileReader(files, caller.Tenant, order.FileId, 0), size);
        var reached = run.Position<Reached>();
        var dialect = order.Format == "csv" ? reached?.Dialect ?? await new CsvSurvey(window, order, new ImportColumns(resource, order), timeZone).Read(cancellationToken) : null;
        var lines = ImportLines.Of(resource, order, dialect, window, clock);
        await lines.Open(reached is null ? null : new RecordPosition(reached.Offset, reached.Line), cancellationToken);
        var task = new ImportTask(resource, order, bulk, size, dialect);
        var chunk = await Read(lines, order, null, cancellationToken);
        while (!chunk.IsLast)
        {
            // The next lines are read and checked while the database takes these.
            var (current, next) = (chunk, Task.Run(() => Read(lines, order, chunk.Ahead, cancellationToken), cancellationToken));
            try
            {
                await Commit(run, task, current, cancellationToken);
            }
            finally
            {
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            chunk = await next;
        }
        await Commit(run, task, chunk, cancellationToken);
        var progress = run.Progress;
        return JsonSerializer.Serialize(
            new
            {
                lines = progress.Processed,
                imported = progress.Succeeded,
                failed = progress.Failed,
                skipped = progress.Skipped,
                dryRun = order.IsDryRun,
                dialect = dialect is null ? null : new { dialect.Encoding, dialect.Delimiter, dialect.DecimalSign, dialect.DateOrder, dialect.TimeZone },
            },
            JsonSerializerOptions.Web);
    }

    /// <summary>On whose behalf the next lines go in. An import may take hours: who may no longer, ends it there.</summary>
    private async Task<Caller> Caller(JobRun run, Resource resource, ImportOrder order, CancellationToken cancellationToken)
    {
        var caller = await JobCaller.Find(services, run.Job, cancellationToken);
        return TransferRights.Refusal(caller, resource, order) is { } refusal ? throw new JobFailedException(refusal) : caller;
    }

    private sealed record ImportTask(Resource Resource, ImportOrder Order, BulkInsert Bulk, long Size, CsvDialect? Dialect);

    /// <summary>The position that is kept: where the next record begins, and how a file of CSV is read.</summary>
    private sealed record Reached(long Offset, long Line, CsvDialect? Dialect);

    /// <param name="Records">Good and bad ones.</param>
    /// <param name="Skipped">Rows without any value, which are neither.</param>
    /// <param name="Ahead">A line that was read but belongs to the next chunk; <paramref name="Position"/> is before it.</param>
    private sealed record Chunk(List<ImportLine> Lines, List<LineError> Errors, long Records, long Skipped, RecordPosition Position, ImportLine? Ahead, bool IsLast);

    private static async Task<Chunk> Read(ImportLines lines, ImportOrder order, ImportLine? ahead, CancellationToken cancellationToken)
    {
        var good = new List<ImportLine>();
        var errors = new List<LineError>();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        var (bad, skipped, before) = (0L, 0L, lines.Position);
        if (ahead is not null)
        {
            Add(ahead);
        }
        var start = before.Offset;
        while (good.Count + bad < ChunkLines && before.Offset - start < ChunkBytes)
        {
            if (await lines.Next(cancellationToken) is not { } next)
            {
                return new(good, errors, good.Count + bad, skipped, before, null, true);
            }
            if (next.IsBlank)
            {
                skipped++;
            }
            else if (next.Line is null)
            {
                errors.AddRange(next.Errors);
                bad++;
            }
            else if (!Add(next.Line))
            {
                // The same key again: the earlier line is to be done before this one finds its row.
                return new(good, errors, good.Count + bad, skipped, before, next.Line, false);
            }
            before = lines.Position;
        }
        return new(good, errors, good.Count + bad, skipped, before, null, false);

        bool Add(ImportLine line)
        {
            // Looked at loosely: what may be one row (another case, a stop behind it, a plus that a platform takes away) is done in two chunks.
            if (order.Key is not null && line.Values.Text(order.Key) is { } key && !keys.Add(ComparableText.Keyword(key).TrimStart('+')))
            {
                return false;
            }
            good.Add(line);
            return true;
        }
    }

    private async Task Commit(JobRun run, ImportTask task, Chunk chunk, CancellationToken cancellationToken)
    {
        var caller = await Caller(run, task.Resource, task.Order, cancellationToken);
        await using var session = await TenantSession.OpenAsync(database, caller.Tenant, cancellationToken);
        var batch = new ImportBatch(task.Resource, task.Order, JobCaller.Request(services, caller, cancellationToken), task.Bulk, session);
        await Begin(session, task, caller.OrganizationId, cancellationToken);
        var done = await batch.Apply(chunk.Lines);
        if (task.Order.IsDryRun)
        {
            // Errors and the position are kept.
            await session.ExecuteAsync("ROLLBACK TO SAVEPOINT dry_run", cancellationToken);
        }
        var before = run.Progress;
        var errors = chunk.Errors.Concat(batch.Errors).OrderBy(error => error.Line).Take((int)Math.Max(0, run.Options.ErrorsKept - before.Failed)).ToArray();
        if (errors.Length > 0)
        {
            await session.ExecuteAsync(
                "INSERT INTO job_errors (organization_id, job_id, line, field, detail) SELECT $1, $2, e.line, e.field, left(e.detail, 4000) FROM unnest($3, $4, $5) AS e (line, field, detail)",
                cancellationToken, run.Job.OrganizationId, run.Job.Id, errors.Select(error => error.Line).ToArray(),
                new Npgsql.NpgsqlParameter { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Text, Value = errors.Select(error => error.Field is null ? null : JsonText.Storable(error.Field)).ToArray() },
                errors.Select(error => JsonText.Storable(error.Detail)).ToArray());
        }
        await run.Commit(session, new Reached(chunk.Position.Offset, chunk.Position.Line, task.Dialect), new JobProgress
        {
            Processed = before.Processed + chunk.Records,
            Succeeded = before.Succeeded + done,
            Failed = before.Failed + chunk.Records - done,
            Skipped = (before.Skipped ?? 0) + chunk.Skipped,
            Percent = task.Size == 0 ? 100 : (int)(chunk.Position.Offset * 100 / task.Size),
            Phase = task.Order.IsDryRun ? "checking" : "importing",
        }, cancellationToken);
    }

    /// <summary>
    /// Triggers that tell people of news know that an import is none. What they and foreign keys ask for each row is planned once a chunk, not once a row as a request's
    /// statements are, and again for the next one: a plan made while a table was empty would read more and more of it.
    /// Chunks that look for rows by a key take turns: no lock holds a row that isn't there yet, and two of them would make it each. What comes after the lock sees what the
    /// one before committed.
    /// </summary>
    private static async Task Begin(TenantSession session, ImportTask task, Guid organizationId, CancellationToken cancellationToken)
    {
        await using var batch = session.CreateBatch();
        if (task.Order.Key is not null)
        {
            batch.BatchCommands.Add(new("SELECT pg_advisory_xact_lock(hashtextextended('upsert ' || $1::text || ' ' || $2, 0))") { Parameters = { new() { Value = organizationId }, new() { Value = task.Resource.Path } } });
        }
        batch.BatchCommands.Add(new("SELECT set_config('app.is_import', 'true', true), set_config('plan_cache_mode', 'auto', true)"));
        batch.BatchCommands.Add(new("DISCARD PLANS"));
        batch.BatchCommands.Add(new("SAVEPOINT dry_run"));
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}
