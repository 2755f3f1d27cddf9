using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Documentation;
using AgentPlatform.Api.Jobs;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Api.Transfer.Sheets;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Jobs;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Transfer;

/// <summary>Starts imports and exports of resources.</summary>
internal static class TransferEndpoints
{
    private static readonly Operation ImportOperation = Base("importResource", "Import a file into a resource") with
    {
        Description = $$"""
            CSV with a header (RFC 4180) or JSON (one array, or an object on each line). Columns and members are the fields of the resource, or what `mapping` says. Each line is held against the
            rules by which `POST` would take it: good lines go in, bad ones are listed under `/v1/jobs/{id}/job-errors`. Needs the role that creates (and for `upsert` changes) the resource.
            A reference is given by its id or by columns that name it, such as `client.phone`; what fits nothing or several rows is an error of that line.

            How a CSV file is written (`encoding`, `delimiter`, `decimalSign`, `dateOrder`) is found in the file; the job's `result.dialect` tells it, after a `dryRun` too. Where the file does not
            show it, the job fails before its first line and names the option.

            {{ImportsDocument.Table()}}
            """,
        Body = new Shape(
            Choice("resource", [.. ResourceCatalog.All.Where(resource => resource.Import is not null).Select(resource => resource.Path)]).Required(),
            Reference("fileId", "files").Required(),
            Choice("format", "csv", "json").WithDefault("csv"),
            Choice("mode", "create", "upsert").WithDefault("create").About("`upsert` changes the row that has the same `key` and creates one where there is none."),
            Text("key", 100).Nullable().About("For `upsert`: a field by which rows are recognised, such as `phone` of clients."),
            Flag("dryRun").WithDefault(false).About("Check everything, keep nothing."),
            CsvEncoding.EncodingField("encoding").Nullable().About("Of CSV. Without it the `charset` with which the file was uploaded, or what its bytes tell: UTF-8, UTF-16, or Windows-1252 where nothing tells against it; a byte order mark counts before all of these. Other common names, such as `cp1250`, are taken too."),
            CsvDialect.DelimiterField("delimiter").Nullable().About("Of CSV. Found by a first line `sep=;`, or as the one that makes the header's columns fields."),
            Choice("decimalSign", CsvDialect.DecimalSigns).Nullable().About("Of CSV: how `1.234` and `1,234` are read. Found by the numbers that can be read in one way only. `1234.5` is taken whatever it is."),
            Choice("dateOrder", CsvDialect.DateOrders).Nullable().About("Of CSV: how `3/4/2025` is read, with the day (`dmy`) or the month (`mdy`) first. Found by the dates that can be read in one way only. `2025-04-03` is taken whatever it is."),
            Json("mapping").About("Column of the file → field; an empty text leaves the column out.")),
        Example = new JsonObject { ["resource"] = "clients", ["fileId"] = "0196f1c0-7d00-7c3e-9a55-5f0c1b2a3d4e", ["mode"] = "upsert", ["key"] = "phone", ["mapping"] = new JsonObject { ["Mobile"] = "phone" } },
    };

    private static readonly Operation ExportOperation = Base("exportResource", "Export a list") with
    {
        Description = """
            Everything that the list has under its filters, as CSV or as JSON lines. The job's result names a file, to be downloaded at `/v1/files/{id}/content` with an access token until it expires
            (`EXPORT_HOURS`). CSV is for spreadsheets: it begins with a byte order mark, and a text that a spreadsheet would take for a formula, or would write otherwise as a number or a date
            (`+4915112345678`, `01067`), has an apostrophe in front, which an import takes away again. For programs there are JSON lines.
            """,
        Body = new Shape(
            Choice("resource", [.. ResourceCatalog.All.Where(ExportWork.CanExport).Select(resource => resource.Path)]).Required(),
            Choice("format", "csv", "jsonl").WithDefault("csv"),
            Choice("references", "ids", "keys").WithDefault("ids").About("`keys` writes natural keys, such as `client.phone` and `client.email`, in the place of `clientId`, and leaves out references to what has none: for an import into another organization."),
            CsvDialect.DelimiterField("delimiter").WithDefault(",").About("Of CSV. Spreadsheets whose decimal sign is the comma divide lines at semicolons."),
            Choice("decimalSign", CsvDialect.DecimalSigns).WithDefault(".").About("Of CSV."),
            Flag("byteOrderMark").WithDefault(true).About("Of CSV: whether it begins with a byte order mark, by which spreadsheets know UTF-8."),
            Json("filters").About("Query parameters of the list, such as `{\"status\": \"sold\", \"sort\": \"-createdAt\", \"q\": \"anna\"}`. What may be repeated there is a list here: `{\"source\": [\"web\", \"fair, Berlin\"]}`. A list that stands under something needs its id: `{\"conversationId\": \"…\"}` for `messages`.")),
        Example = new JsonObject { ["resource"] = "clients", ["format"] = "csv", ["filters"] = new JsonObject { ["clientType"] = "customer" } },
    };

    private static readonly Operation DatasetOperation = Base("exportFinetuningDataset", "Make a training file from conversations") with
    {
        Role = Role.Admin,
        Description = "Conversations as JSON lines of `{\"messages\": [{\"role\", \"content\"}]}`, the form in which providers take examples for fine-tuning a chat model. The job's result names the file, for admins.",
        Body = new Shape(
            Reference("agentId", "agents").Nullable().About("Only conversations of this agent."),
            Text("system", 20_000).Nullable().About("Begins each example as the system's message.")),
        IsBodyRequired = false,
    };

    public static void MapTransfer(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("POST", "/v1/jobs/finetuning-datasets", DatasetOperation, Dataset);
        routes.MapOperation("POST", "/v1/jobs/imports", ImportOperation, Import);
        routes.MapOperation("POST", "/v1/jobs/exports", ExportOperation, Export);
    }

    private static Operation Base(string id, string summary) => new()
    {
        Id = id,
        Tag = "jobs",
        Role = Role.Member,
        Summary = summary,
        TakesIdempotencyKey = true,
        SuccessStatus = StatusCodes.Status202Accepted,
        Answer = JobResource.Jobs.Shape,
        AnswerName = JobResource.Jobs.SchemaName,
        AnswersEntityTag = true,
    };

    private static async Task<IResult> Import(OperationRequest request)
    {
        var resource = Find(request);
        var order = new ImportOrder
        {
            Resource = resource.Path,
            FileId = request.Body.Get<Guid>("fileId"),
            Format = request.Body.Text("format") ?? "csv",
            Key = request.Body.Text("mode") == "upsert" ? request.Body.Text("key") ?? "" : null,
            IsDryRun = request.Body.Get<bool>("dryRun"),
            Delimiter = request.Body.Text("delimiter"),
            Encoding = request.Body.Text("encoding"),
            DecimalSign = request.Body.Text("decimalSign"),
            DateOrder = request.Body.Text("dateOrder"),
            Mapping = Texts(request, "mapping", out var malformed),
        };
        if (malformed is not null)
        {
            return malformed;
        }
        if (Unmapped(resource, order) is { } unmapped)
        {
            return unmapped;
        }
        if (OfCsvAlone(request, order.Format, "encoding", "delimiter", "decimalSign", "dateOrder") is { } misplaced)
        {
            return misplaced;
        }
        if (await request.Service<FileStore>().ContentType(request.Caller.Tenant, order.FileId, request.Cancelled) is not { } contentType)
        {
            return Problem.Invalid("/fileId", "/fileId names nothing in this organization.");
        }
        if (order is { Format: "csv", Encoding: null })
        {
            if (!CsvEncoding.TryDeclared(contentType, out var declared))
            {
                return Problem.Invalid("/fileId", $"/fileId is a file that came as {contentType}, a charset that is not known here. Say /encoding.");
            }
            order = order with { Encoding = declared };
        }
        if (order.Key is not null && !resource.Import!.Keys.Contains(order.Key))
        {
            return Problem.Invalid("/key", resource.Import.Keys.Length == 0 ? $"/key: {resource.Path} have no field that could be one; use the mode create." : $"/key must be one of {string.Join(", ", resource.Import.Keys)}.");
        }
        return TransferRights.Refusal(request.Caller, resource, order) is { } refusal
            ? new Problem(ProblemType.Forbidden, refusal)
            : await JobStart.Start(request, new NewJob(JobTypes.FileProcessing, ImportWork.WorkName, order) { MinimumRole = TransferRights.Needed(resource, order) ?? Role.Member, Scopes = [ApiKeyScopes.Of("POST", $"/v1/{resource.Path}")!] });
    }

    /// <summary>An option of CSV for another format; null where there is none.</summary>
    private static Problem? OfCsvAlone(OperationRequest request, string format, params ReadOnlySpan<string> options)
    {
        foreach (var option in options)
        {
            if (format != "csv" && request.Body.All.Any(given => given.Field.Name == option && given.Value is not null))
            {
                return Problem.Invalid($"/{option}", $"/{option} belongs to the format csv.");
            }
        }
        return null;
    }

    /// <summary>A column that is to fill what isn't there, or what nobody gives; null where there is none.</summary>
    private static Problem? Unmapped(Resource resource, ImportOrder order)
    {
        foreach (var (column, name) in order.Mapping.Where(pair => pair.Value.Length > 0))
        {
            if (!ImportShape.Of(resource).TryFind(name, out var field) || field is null)
            {
                return Problem.Invalid($"/mapping/{column}", $"/mapping/{column} names no field that can be given for {resource.Path}.");
            }
        }
        return null;
    }

    private static async Task<IResult> Export(OperationRequest request)
    {
        var resource = Find(request);
        var order = new ExportOrder
        {
            Resource = resource.Path,
            Format = request.Body.Text("format") ?? "csv",
            UsesKeys = request.Body.Text("references") == "keys",
            Delimiter = request.Body.Text("delimiter") ?? ",",
            DecimalSign = request.Body.Text("decimalSign") ?? ".",
            HasMark = !request.Body.Has("byteOrderMark") || request.Body.Get<bool>("byteOrderMark"),
            Filters = Filters(request, out var malformed),
        };
        if (malformed is not null)
        {
            return malformed;
        }
        if (OfCsvAlone(request, order.Format, "delimiter", "decimalSign", "byteOrderMark") is { } misplaced)
        {
            return misplaced;
        }
        var violations = new Violations();
        var query = order.Query(resource, violations);
        if (resource.Parent is { } parent && ResourceOperations.ParentField(resource).Name is var name && !violations.Any && !await Exists(request, parent, query.GetValueOrDefault(name)))
        {
            violations.Add(name, query.ContainsKey(name) ? "names nothing in this organization." : $"is required: which of {parent.Path}.");
        }
        if (violations.Any)
        {
            return Problem.Invalid([.. violations.ToProblem().Errors.Select(error => new FieldError($"/filters/{error.Field}", $"/filters/{error.Detail}"))]);
        }
        return TransferRights.Refusal(request.Caller, resource) is { } refusal
            ? new Problem(ProblemType.Forbidden, refusal)
            : await JobStart.Start(request, new NewJob(JobTypes.ReportGeneration, ExportWork.WorkName, order) { Scopes = [ApiKeyScopes.Of("GET", $"/v1/{resource.Path}")!] });
    }

    private static async Task<IResult> Dataset(OperationRequest request)
    {
        var agent = request.Body.Id("agentId");
        if (agent is not null && !await Exists(request, "agents", agent.Value))
        {
            return Problem.Invalid("/agentId", "/agentId names nothing in this organization.");
        }
        return TransferRights.Refusal(request.Caller, Role.Admin, "conversations", "GET") is { } refusal
            ? new Problem(ProblemType.Forbidden, refusal)
            : await JobStart.Start(request, new NewJob(JobTypes.ModelFinetuning, "finetuning_dataset", new { agentId = agent, system = request.Body.Text("system") }) { MinimumRole = Role.Admin, Scopes = [ApiKeyScopes.Of("GET", "/v1/conversations")!] });
    }

    private static async Task<bool> Exists(OperationRequest request, ResourceParent parent, ImmutableArray<object> id) =>
        !id.IsDefault && await Exists(request, parent.Table, (Guid)id[0]);

    private static async Task<bool> Exists(OperationRequest request, string table, Guid id) =>
        (await request.InTransaction(session => References.Known(session, table, [id], request.Cancelled))).Count > 0;

    private static Resource Find(OperationRequest request) => ResourceCatalog.All.First(resource => resource.Path == request.Body.Text("resource"));

    private static Dictionary<string, string[]> Filters(OperationRequest request, out Problem? malformed)
    {
        malformed = null;
        var filters = new Dictionary<string, string[]>(StringComparer.Ordinal);
        using var document = JsonDocument.Parse(request.Body.Text("filters") ?? "{}");
        foreach (var member in document.RootElement.EnumerateObject())
        {
            if (FilterTexts.Texts(member.Value) is not { } texts)
            {
                malformed = Problem.Invalid($"/filters/{member.Name}", $"/filters/{member.Name} must be a text, or a list of texts.");
                return filters;
            }
            filters[member.Name] = texts;
        }
        return filters;
    }

    private static Dictionary<string, string> Texts(OperationRequest request, string field, out Problem? malformed)
    {
        malformed = null;
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        if (request.Body.Text(field) is not { } json)
        {
            return texts;
        }
        using var document = JsonDocument.Parse(json);
        foreach (var member in document.RootElement.EnumerateObject())
        {
            if (member.Value.ValueKind is not (JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False))
            {
                malformed = Problem.Invalid($"/{field}/{member.Name}", $"/{field}/{member.Name} must be a text.");
                return texts;
            }
            texts[member.Name] = member.Value.ToString() is var text && member.Value.ValueKind is JsonValueKind.True or JsonValueKind.False ? text.ToLowerInvariant() : text;
        }
        return texts;
    }
}
