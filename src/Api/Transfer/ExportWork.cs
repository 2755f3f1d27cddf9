using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Jobs;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Api.Transfer.Sheets;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;
using Microsoft.Extensions.Primitives;

namespace AgentPlatform.Api.Transfer;

/// <summary>What was asked for: the payload of an export job.</summary>
internal sealed record ExportOrder
{
    public required string Resource { get; init; }

    /// <summary><c>csv</c> or <c>jsonl</c>.</summary>
    public required string Format { get; init; }

    /// <summary>References as <c>keys</c> instead of <c>ids</c>: for an import where the ids are others.</summary>
    public bool UsesKeys { get; init; }

    /// <summary>Of CSV: one of <see cref="CsvDialect.Delimiters"/>.</summary>
    public string Delimiter { get; init; } = ",";

    /// <summary>Of CSV: one of <see cref="CsvDialect.DecimalSigns"/>.</summary>
    public string DecimalSign { get; init; } = ".";

    /// <summary>CSV begins with a byte order mark, without which a spreadsheet takes UTF-8 for the system's code page.</summary>
    public bool HasMark { get; init; } = true;

    /// <summary>Query parameters of the list, sort and search among them.</summary>
    [JsonConverter(typeof(FilterTexts))]
    public Dictionary<string, string[]> Filters { get; init; } = [];

    /// <summary>The list's parameters, read as a request would read them.</summary>
    public ImmutableDictionary<string, ImmutableArray<object>> Query(Resource resource, Violations violations, string? cursor = null)
    {
        foreach (var (name, _) in Filters.Where(filter => filter.Value.Length == 0))
        {
            violations.Add(name, "must have at least one value.");
        }
        var http = new DefaultHttpContext();
        var given = Filters.Where(filter => filter.Key is not "cursor" and not "limit" && filter.Value.Length > 0).ToDictionary(filter => filter.Key, filter => new StringValues(filter.Value));
        if (cursor is not null)
        {
            given["cursor"] = cursor;
        }
        http.Request.Query = new QueryCollection(given);
        return RequestReader.ReadQuery(http.Request, ResourceOperations.Export(resource), violations);
    }
}

/// <summary>Exports a list with its filters into a file: a page of rows, the piece of the file, and the place after them are one transaction.</summary>
internal sealed class ExportWork(IServiceProvider services, ApiDataSource database, FileStore files, FileLimits options, TimeProvider clock) : IJobWork
{
    public const string WorkName = "resource_export";

    /// <summary>Rows of a page.</summary>
    public const int PageRows = 500;

    public string Name => WorkName;

    public async Task<string?> Run(JobRun run, CancellationToken cancellationToken)
    {
        var order = run.Payload<ExportOrder>();
        var resource = ResourceCatalog.All.FirstOrDefault(known => known.Path == order.Resource && CanExport(known)) ?? throw new JobFailedException($"{order.Resource} can't be exported.");
        var caller = await JobCaller.Find(services, run.Job, cancellationToken);
        if (TransferRights.Refusal(caller, resource) is { } refusal)
        {
            throw new JobFailedException(refusal);
        }
        var reached = run.Position<Reached>() ?? await Begin(run, caller, resource, order, cancellationToken);
        while (!reached.IsLast)
        {
            reached = await Next(run, caller, resource, order, reached, cancellationToken);
        }
        var size = await files.Complete(caller.Tenant, reached.FileId, cancellationToken);
        return JsonSerializer.Serialize(new { fileId = reached.FileId, rows = reached.Rows, size }, JsonSerializerOptions.Web);
    }

    /// <summary>Whatever has a list. One that stands under a row of another resource is exported for that row.</summary>
    public static bool CanExport(Resource resource) => resource is { Read: not null, IsTenantItself: false, NeedsSuperAdmin: false };

    private sealed record Reached(Guid FileId, long Size, long Rows, string? Cursor, bool IsLast);

    private async Task<Reached> Begin(JobRun run, Caller caller, Resource resource, ExportOrder order, CancellationToken cancellationToken)
    {
        await using var session = await TenantSession.OpenAsync(database, caller.Tenant, cancellationToken);
        var file = await files.Create(session, caller.Tenant, new NewFile
        {
            Purpose = "export",
            Name = $"{resource.Path}.{order.Format}",
            ContentType = order.Format == "csv" ? "text/csv; charset=utf-8" : "application/jsonl; charset=utf-8",
            JobId = run.Job.Id,
            MinimumRole = (resource.Read > Role.Member ? resource.Read.Value : Role.Member).Name(),
            RequiredScope = ApiKeyScopes.OfReading(resource),
            ExpiresAt = clock.GetUtcNow() + options.ExportLife,
        }, cancellationToken);
        var header = order.Format == "csv" ? new CsvRows(order, Columns(resource, order)).Header() : [];
        if (header.Length > 0)
        {
            await FileStore.Write(session, caller.OrganizationId, file, 0, header, cancellationToken);
        }
        var reached = new Reached(file, header.Length, 0, null, false);
        await run.Commit(session, reached, new JobProgress { Phase = "exporting" }, cancellationToken);
        return reached;
    }

    private async Task<Reached> Next(JobRun run, Caller caller, Resource resource, ExportOrder order, Reached reached, CancellationToken cancellationToken)
    {
        var violations = new Violations();
        var query = order.Query(resource, violations, reached.Cursor);
        if (violations.Any)
        {
            throw new JobFailedException(violations.ToProblem().Detail ?? "The filters don't fit the list.");
        }
        var request = new OperationRequest
        {
            Http = new DefaultHttpContext { RequestServices = services, RequestAborted = cancellationToken },
            KnownCaller = caller,
            Query = query,
        };
        var (rows, next) = await ResourceReads.Whole(resource, request, PageRows);
        await using var session = await TenantSession.OpenAsync(database, caller.Tenant, cancellationToken);
        var keys = order.UsesKeys ? await ExportKeys.Read(session, request, resource, rows.Select(row => row.Json)) : null;
        var content = Content(resource, order, rows.Select(row => keys?.Replace(row.Json) ?? row.Json));
        if (content.Length > 0)
        {
            await FileStore.Write(session, caller.OrganizationId, reached.FileId, reached.Size, content, cancellationToken);
        }
        var after = new Reached(reached.FileId, reached.Size + content.Length, reached.Rows + rows.Count, next, next is null);
        await run.Commit(session, after, new JobProgress { Processed = after.Rows, Succeeded = after.Rows, Phase = "exporting" }, cancellationToken);
        return after;
    }

    /// <summary>The columns of a row, and what stands in each.</summary>
    private static ImmutableArray<(string Name, FieldType Type)> Columns(Resource resource, ExportOrder order) =>
    [
        .. ResourceSql.Of(resource).Readable.Where(field => !order.UsesKeys || !NaturalKey.IsLost(field))
            .SelectMany(field => order.UsesKeys && NaturalKey.Of(field) is { Length: > 0 } keys ? keys.Select(key => (key.Name, key.Type)) : [(field.Name, field.Type)]),
    ];

    private static byte[] Content(Resource resource, ExportOrder order, IEnumerable<ReadOnlyMemory<byte>> rows)
    {
        var content = new StringBuilder();
        var csv = new CsvRows(order, Columns(resource, order));
        foreach (var row in rows)
        {
            if (order.Format == "csv")
            {
                csv.Append(content, row);
            }
            else
            {
                content.Append(Encoding.UTF8.GetString(row.Span)).Append('\n');
            }
        }
        return Encoding.UTF8.GetBytes(content.ToString());
    }
}
