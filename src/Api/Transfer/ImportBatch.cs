using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;
using AgentPlatform.Data.Texts;
using Npgsql;

namespace AgentPlatform.Api.Transfer;

/// <summary>
/// Puts a batch of lines into a resource's table, by the resource's own rules. Usually all new rows go in together, and all changes; when one of them meets a rule of the
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
        var recognised = await Recognise(await WithKnownReferences(lines));
        var changed = recognised.Where(entry => entry.Before is not null).DistinctBy(entry => entry.Before!.Id).ToArray();
        var created = recognised.Where(entry => entry.Before is null && IsWhole(entry.Line)).ToArray();
        var done = await Apply(changed) + await Apply(created);
        // Lines that found a row which a line before them changes find it as that line leaves it.
        var later = recognised.Where(entry => entry.Before is not null).Except(changed).Select(entry => entry.Line).ToArray();
        return later.Length == 0 ? done : done + await ApplyResolved(later);
    }

    /// <summary>Makes all rows, or changes all, together; where that fails, line by line.</summary>
    private async Task<int> Apply(Entry[] entries)
    {
        if (entries.Length == 0)
        {
            return 0;
        }
        if (!TakesFromAnother(entries))
        {
            await Execute($"SAVEPOINT {Savepoint}");
            try
            {
                return await Together(entries);
            }
            catch (PostgresException failure) when (!PostgresFailures.IsUnavailable(failure) && !PostgresFailures.IsConflict(failure))
            {
                await Execute($"ROLLBACK TO SAVEPOINT {Savepoint}");
            }
        }
        return await Rest(entries);
    }

    /// <summary>Those that can't go in together. A row that wasn't there may be there by now, made by somebody who imports nothing, and takes no turns: its line changes it.</summary>
    private async Task<int> Rest(IReadOnlyList<Entry> entries)
    {
        if (entries.Count == 0 || entries[0].Before is not null)
        {
            return await OneByOne(entries);
        }
        var recognised = await Recognise([.. entries.Select(entry => entry.Line)]);
        var done = await OneByOne([.. recognised.Where(entry => entry.Before is null)]);
        var found = recognised.Where(entry => entry.Before is not null).Select(entry => entry.Line).ToArray();
        return found.Length == 0 ? done : done + await ApplyResolved(found);
    }

    private async Task<int> OneByOne(IReadOnlyList<Entry> entries)
    {
        var done = 0;
        foreach (var entry in entries)
        {
            done += await Alone(entry) ? 1 : 0;
        }
        return done;
    }

    /// <summary>Whether a line gives its row what must be unique and another line's row still has: then the order of the lines decides whether that can be.</summary>
    private bool TakesFromAnother(Entry[] entries) => resource.Uniques.Select(unique => resource.Shape.Find(unique.Field)!).Any(field =>
    {
        var held = entries.Select(entry => entry.Before?.Raw(field.Name)).OfType<string>().Select(ComparableText.Keyword).ToHashSet(StringComparer.Ordinal);
        return held.Count > 0 && entries.Any(entry =>
            entry.Line.Values.Text(field.Name) is { } text && held.Contains(ComparableText.Keyword(text)) && !(entry.Before?.Raw(field.Name) is string mine && ComparableText.Keyword(mine) == ComparableText.Keyword(text)));
    });

    private async Task<int> Together(Entry[] entries)
    {
        var errors = new List<LineError>();
        var changes = new List<ResourceChange>();
        var rest = new List<Entry>();
        var entryOf = new Dictionary<ResourceChange, Entry>(entries.Length);
        foreach (var entry in entries)
        {
            var change = Change(entry);
            if (NotKept(entry, change) is { } error)
            {
                errors.Add(error);
            }
            else if (resource.BeforeWrite is { } rules && await rules(change) is { } refused)
            {
                errors.AddRange(ImportLines.Errors(entry.Line.Line, refused));
            }
            else if (change.Columns.Count > 0)
            {
                rest.Add(entry);
            }
            else
            {
                changes.Add(change);
                entryOf[change] = entry;
            }
        }
        var (isCreation, written) = (entries[0].Before is null, new Dictionary<Guid, ResourceRow>());
        if (changes.Count > 0)
        {
            written = isCreation ? await bulk.Run(changes, request.Cancelled) : await BulkUpdate.Run(changes, request.Cancelled);
        }
        foreach (var change in changes)
        {
            change.After = written.GetValueOrDefault(change.Id);
            if (change.After is null)
            {
                rest.Add(entryOf[change]);
            }
            else if (resource.AfterWrite is { } more)
            {
                await more(change);
            }
        }
        await request.Service<ActivityLog>().WriteAllAsync(
            session, request.Caller, $"{resource.Singular}.{(isCreation ? "created" : "updated")}", resource.Singular,
            [.. changes.Where(change => change.After is not null).Select(change => (change.Id, change.Before?.Json, change.After!.Json))], request.Cancelled);
        // Nothing above is undone from here on.
        _errors.AddRange(errors);
        return written.Count + await Rest(rest);
    }

    private async Task<bool> Alone(Entry entry)
    {
        var change = Change(entry);
        if (NotKept(entry, change) is { } error)
        {
            _errors.Add(error);
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
            // Not the line is wrong: what is left of the file is for whoever may go on with it.
            problem = failure.SqlState == PostgresErrorCodes.InsufficientPrivilege && KnownFailures.ToProblem(failure) is { } forbidden ? throw new JobFailedException(forbidden.Detail!)
                : KnownFailures.ToProblem(failure) ?? throw new InvalidOperationException($"Line {entry.Line.Line} met a failure of the database.", failure);
        }
        if (problem is null)
        {
            await Execute($"RELEASE SAVEPOINT {Savepoint}");
            return true;
        }
        await Execute($"ROLLBACK TO SAVEPOINT {Savepoint}");
        _errors.AddRange(ImportLines.Errors(entry.Line.Line, problem));
        return false;
    }

    /// <summary>Rules may change what is written: each try begins with what the line says.</summary>
    private ResourceChange Change(Entry entry)
    {
        var values = new ShapeValues(entry.Line.Values);
        return new ResourceChange
        {
            Resource = resource,
            Request = request,
            Session = session,
            Id = entry.Before?.Id ?? (resource.KeyField is { } key ? values.Get<Guid>(key) : Uuid.New(_clock)),
            Values = values,
            Before = entry.Before,
        };
    }

    /// <summary>What can't be changed may be repeated, as an export has it, but not differ.</summary>
    private LineError? NotKept(Entry entry, ResourceChange change)
    {
        if (change.IsCreation)
        {
            return null;
        }
        // The row was recognised by it: it may be written otherwise.
        change.Values.Remove(order.Key!);
        foreach (var (field, value) in change.Values.All.Where(given => !given.Field.IsGivenAt(ShapeUse.Change)).ToArray())
        {
            if (!_shape.IsKept(field) && !Equals(change.Before.Raw(field.Name), value))
            {
                return new(entry.Line.Line, field.Name, $"{field.Name} can't be changed.");
            }
            change.Values.Remove(field.Name);
        }
        return null;
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

    /// <summary>The rows that the lines' keys name, held until the chunk ends. They are taken in the order of the keys, so that two imports wait for each other instead of blocking each other.</summary>
    private async Task<IReadOnlyList<Entry>> Recognise(IReadOnlyList<ImportLine> lines)
    {
        if (order.Key is not { } key || lines.Count == 0)
        {
            return [.. lines.Select(line => new Entry(line, null))];
        }
        var sql = ResourceSql.Of(resource);
        var within = resource.Import!.Within is { } name ? resource.Shape.Find(name) : null;
        var found = lines.Select(_ => new List<ResourceRow>()).ToArray();
        await using (var rows = await session.QueryAsync(
            $"""
            SELECT found.*, given.place
            FROM (SELECT * FROM unnest($2, $3) WITH ORDINALITY AS line (key, within, place) ORDER BY key, within) AS given
            CROSS JOIN LATERAL (
                {sql.SelectAll} WHERE {sql.OfTenant} AND {ResourceSql.Has(resource.Shape.Find(key)!, "given.key")}{(within is null ? "" : $" AND t.{within.Column} = given.within")}
                LIMIT 2 FOR NO KEY UPDATE OF t) AS found
            """,
            request.Cancelled, request.Caller.OrganizationId, lines.Select(line => line.Values.Text(key)!).ToArray(),
            lines.Select(line => within is null ? Guid.Empty : line.Values.Get<Guid>(within.Name)).ToArray()))
        {
            while (await rows.ReadAsync(request.Cancelled))
            {
                found[rows.GetInt64(sql.Readable.Length) - 1].Add(ResourceRow.Read(resource, sql.Readable, rows, ResourceWrites.Context(request)));
            }
        }
        _errors.AddRange(lines.Zip(found).Where(pair => pair.Second.Count > 1)
            .Select(pair => new LineError(pair.First.Line, key, $"{key} is that of several {resource.Plural}: it doesn't say which of them to change.")));
        return [.. lines.Zip(found).Where(pair => pair.Second.Count < 2).Select(pair => new Entry(pair.First, pair.Second.FirstOrDefault()))];
    }

    private Task<int> Execute(string sql) => session.ExecuteAsync(sql, request.Cancelled);

    /// <param name="Before">The row that the line changes; null for one that is to be made.</param>
    private sealed record Entry(ImportLine Line, ResourceRow? Before);
}
