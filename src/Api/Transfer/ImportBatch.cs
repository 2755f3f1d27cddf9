using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using Npgsql;

namespace AgentPlatform.Api.Transfer;

/// <summary>
/// Puts a batch of lines into a resource's table, by the resource's own rules. Usually all new rows go in with one statement; when one of them meets a rule of the
/// database, each line goes alone, so that only the bad ones stay out.
/// </summary>
internal sealed class ImportBatch(Resource resource, ImportOrder order, OperationRequest request, BulkInsert bulk, TenantSession session)
{
    private const string Savepoint = "import_line";
    private readonly ImportShape _shape = ImportShape.Of(resource);
    private readonly TimeProvider _clock = request.Service<TimeProvider>();
    private readonly List<LineError> _errors = [];

    /// <summary>What is wrong with lines of this batch.</summary>
    public IReadOnlyList<LineError> Errors => _errors;

    /// <summary>Applies the lines, whose keys are all different; returns how many went in.</summary>
    public async Task<int> Apply(IReadOnlyList<ImportLine> lines)
    {
        var keys = new NaturalKeyLookup(_shape, session, request);
        for (var done = 0; ;)
        {
            var (known, errors) = await keys.Resolve(lines);
            var more = await ApplyResolved(known);
            done += more;
            var waiting = _shape.RefersToItself && more > 0 ? lines.Except(known).ToArray() : [];
            if (waiting.Length == 0)
            {
                _errors.AddRange(errors);
                return done;
            }
            // What they name may be a line that is a row now.
            lines = waiting;
        }
    }

    private async Task<int> ApplyResolved(IReadOnlyList<ImportLine> lines)
    {
        var good = await WithKnownReferences(lines);
        var existing = await Existing(good);
        var changed = good.Where(line => ExistingOf(line, existing) is not null).ToArray();
        var created = good.Except(changed).Where(IsWhole).ToArray();
        var done = 0;
        foreach (var line in changed)
        {
            done += await Alone(line, ExistingOf(line, existing)) ? 1 : 0;
        }
        if (created.Length == 0)
        {
            return done;
        }
        await Execute($"SAVEPOINT {Savepoint}");
        try
        {
            return done + await Together(created);
        }
        catch (PostgresException failure) when (!PostgresFailures.IsUnavailable(failure) && !PostgresFailures.IsConflict(failure))
        {
            await Execute($"ROLLBACK TO SAVEPOINT {Savepoint}");
        }
        foreach (var line in created)
        {
            done += await Alone(line, null) ? 1 : 0;
        }
        return done;
    }

    private async Task<int> Together(ImportLine[] lines)
    {
        var errors = new List<LineError>();
        var changes = new List<(ImportLine Line, ResourceChange Change)>();
        var rest = new List<ImportLine>();
        foreach (var line in lines)
        {
            var change = Change(line, null);
            if (resource.BeforeWrite is { } rules && await rules(change) is { } refused)
            {
                errors.AddRange(ImportLines.Errors(line.Line, refused));
            }
            else if (change.Columns.Count > 0)
            {
                rest.Add(line);
            }
            else
            {
                changes.Add((line, change));
            }
        }
        var inserted = changes.Count == 0 ? [] : await bulk.Run([.. changes.Select(entry => entry.Change)], request.Cancelled);
        foreach (var (line, change) in changes)
        {
            change.After = inserted.GetValueOrDefault(change.Id);
            if (change.After is null)
            {
                rest.Add(line);
            }
            else if (resource.AfterWrite is { } more)
            {
                await more(change);
            }
        }
        await request.Service<ActivityLog>().WriteCreatedAsync(
            session, request.Caller, $"{resource.Singular}.created", resource.Singular, [.. inserted.Values.Select(row => (row.Id, row.Json))], request.Cancelled);
        // Nothing above is undone from here on.
        _errors.AddRange(errors);
        var done = inserted.Count;
        foreach (var line in rest)
        {
            done += await Alone(line, null) ? 1 : 0;
        }
        return done;
    }

    private async Task<bool> Alone(ImportLine line, ResourceRow? before)
    {
        var change = Change(line, before);
        if (before is not null && !KeepsFixed(line.Line, change))
        {
            return false;
        }
        await Execute($"SAVEPOINT {Savepoint}");
        Problem? problem;
        try
        {
            problem = await ResourceWrites.Apply(change);
            if (problem is null)
            {
                await ResourceWrites.Follow(change, change.IsCreation ? "created" : "updated");
            }
        }
        catch (PostgresException failure) when (!PostgresFailures.IsUnavailable(failure) && !PostgresFailures.IsConflict(failure))
        {
            problem = KnownFailures.ToProblem(failure) ?? throw new InvalidOperationException($"Line {line.Line} met a failure of the database.", failure);
        }
        if (problem is null)
        {
            await Execute($"RELEASE SAVEPOINT {Savepoint}");
            return true;
        }
        await Execute($"ROLLBACK TO SAVEPOINT {Savepoint}");
        _errors.AddRange(ImportLines.Errors(line.Line, problem));
        return false;
    }

    /// <summary>Rules may change what is written: each try begins with what the line says.</summary>
    private ResourceChange Change(ImportLine line, ResourceRow? before)
    {
        var values = new ShapeValues();
        foreach (var (field, value) in line.Values.All)
        {
            values.Set(field, value);
        }
        return new ResourceChange
        {
            Resource = resource,
            Request = request,
            Session = session,
            Id = before?.Id ?? (resource.KeyField is { } key ? values.Get<Guid>(key) : Uuid.New(_clock)),
            Values = values,
            Before = before,
        };
    }

    /// <summary>What can't be changed may be repeated, as an export has it, but not differ.</summary>
    private bool KeepsFixed(long line, ResourceChange change)
    {
        foreach (var (field, value) in change.Values.All.Where(entry => !entry.Field.IsGivenAt(ShapeUse.Change)).ToArray())
        {
            if (!_shape.IsKept(field) && !Equals(change.Before!.Raw(field.Name), value))
            {
                _errors.Add(new(line, field.Name, $"{field.Name} can't be changed."));
                return false;
            }
            change.Values.Remove(field.Name);
        }
        return true;
    }

    private bool IsWhole(ImportLine line)
    {
        var missing = resource.Shape.Fields.Where(field => field.IsRequired && field.IsGivenAt(ShapeUse.Create) && !line.Values.Has(field)).ToArray();
        _errors.AddRange(missing.Select(field => new LineError(line.Line, field.Name, $"{field.Name} is required.")));
        return missing.Length == 0;
    }

    private async Task<IReadOnlyList<ImportLine>> WithKnownReferences(IReadOnlyList<ImportLine> lines)
    {
        var given = lines.SelectMany(line => line.Values.Leaves().Where(leaf => leaf.Field.References is not null && leaf.Value is Guid)
            .Select(leaf => (Line: line, Table: leaf.Field.References!, Id: (Guid)leaf.Value, leaf.Pointer))).ToArray();
        var bad = new HashSet<ImportLine>();
        foreach (var ofTable in given.GroupBy(reference => reference.Table, StringComparer.Ordinal))
        {
            var known = await References.Known(session, ofTable.Key, [.. ofTable.Select(reference => reference.Id).Distinct()], request.Cancelled);
            foreach (var (line, _, _, pointer) in ofTable.Where(reference => !known.Contains(reference.Id)))
            {
                _errors.Add(new(line.Line, pointer.TrimStart('/'), $"{pointer.TrimStart('/')} names nothing in this organization."));
                bad.Add(line);
            }
        }
        return bad.Count == 0 ? lines : [.. lines.Where(line => !bad.Contains(line))];
    }

    /// <summary>The rows that the lines' keys name, held until the chunk ends.</summary>
    private async Task<Dictionary<(object Key, Guid Within), ResourceRow>> Existing(IReadOnlyList<ImportLine> lines)
    {
        var found = new Dictionary<(object Key, Guid Within), ResourceRow>();
        if (order.Key is null || lines.Count == 0)
        {
            return found;
        }
        var field = resource.Shape.Find(order.Key)!;
        var within = resource.Import!.Within;
        await using var rows = await session.QueryAsync(
            $"{ResourceSql.Of(resource).SelectAll} WHERE {ResourceSql.Of(resource).OfTenant} AND t.{field.Column} = ANY ($2) AND {(within is null ? "$3::uuid[] IS NOT NULL" : $"t.{resource.Shape.Find(within)!.Column} = ANY ($3)")} FOR NO KEY UPDATE OF t",
            request.Cancelled, request.Caller.OrganizationId, lines.Select(line => line.Values.Text(order.Key)!).ToArray(), lines.Select(line => Within(line.Values.Id)).Distinct().ToArray());
        while (await rows.ReadAsync(request.Cancelled))
        {
            var row = ResourceRow.Read(resource, ResourceSql.Of(resource).Readable, rows, ResourceWrites.Context(request));
            found[(row.Raw(order.Key)!, Within(field => row.Get<Guid>(field)))] = row;
        }
        return found;
    }

    private ResourceRow? ExistingOf(ImportLine line, Dictionary<(object Key, Guid Within), ResourceRow> existing) =>
        order.Key is not null && line.Values.Text(order.Key) is { } key ? existing.GetValueOrDefault((key, Within(line.Values.Id))) : null;

    private Guid Within(Func<string, Guid?> value) => resource.Import!.Within is { } within ? value(within) ?? Guid.Empty : Guid.Empty;

    private Task<int> Execute(string sql) => session.ExecuteAsync(sql, request.Cancelled);
}
