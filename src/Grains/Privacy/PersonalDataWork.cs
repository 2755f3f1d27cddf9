using System.Text;
using System.Text.Json;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Grains.Privacy;

/// <summary>Everything that is kept about a person, as JSON lines: <c>{"table", "row"}</c>.</summary>
internal sealed class PersonalDataWork(EngineDataSource database, ApiDataSource tenants, FileStore files, FileLimits limits, TimeProvider clock) : IJobWork
{
    public const string WorkName = "personal_data_export";

    public string Name => WorkName;

    public async Task<string?> Run(JobRun run, CancellationToken cancellationToken)
    {
        var tenant = new Tenant(run.Job.OrganizationId, run.Job.UserId);
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        var person = await PersonRows.Find(connection, run.Job.OrganizationId, run.Payload<PersonOrder>(), cancellationToken).ConfigureAwait(false);
        Guid file;
        await using (var session = await TenantSession.OpenAsync(tenants, tenant, cancellationToken).ConfigureAwait(false))
        {
            file = await files.Create(session, tenant, new NewFile
            {
                Purpose = "personal_data",
                Name = "personal-data.jsonl",
                ContentType = "application/jsonl; charset=utf-8",
                JobId = run.Job.Id,
                MinimumRole = "admin",
                RequiredScope = "clients:read",
                ExpiresAt = clock.GetUtcNow() + limits.ExportLife,
            }, cancellationToken).ConfigureAwait(false);
            await run.Commit(session, null, new JobProgress { Total = person.Tables.Count, Phase = "exporting" }, cancellationToken).ConfigureAwait(false);
        }
        await using var sink = new FileSink(files, tenants, tenant, file);
        long rows = 0;
        foreach (var table in person.Tables)
        {
            await using var command = person.Command(
                $"SELECT (to_jsonb(t) - 'search')::text {table.Rows()} ORDER BY {string.Join(", ", table.Table.Key.Select(column => $"t.{column}").DefaultIfEmpty("1"))}",
                connection, null, run.Job.OrganizationId);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                sink.Write(Encoding.UTF8.GetBytes($"{{\"table\":\"{table.Table.Name}\",\"row\":{reader.GetString(0)}}}\n"));
                await sink.Drain(cancellationToken).ConfigureAwait(false);
                rows++;
            }
        }
        var size = await sink.Complete(cancellationToken).ConfigureAwait(false);
        return JsonSerializer.Serialize(new { fileId = file, rows, size }, JsonSerializerOptions.Web);
    }
}
