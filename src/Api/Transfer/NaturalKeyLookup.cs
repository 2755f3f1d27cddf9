using System.Collections.Immutable;
using System.Globalization;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Tenancy;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Transfer;

/// <summary>Puts ids in the place of natural keys, for many lines with one statement for each combination of keys.</summary>
internal sealed class NaturalKeyLookup(ImportShape shape, TenantSession session, OperationRequest request)
{
    /// <summary>Sets the references of the lines. Lines with one that names nothing, or several rows, are left out and told.</summary>
    public async Task<(IReadOnlyList<ImportLine> Known, IReadOnlyList<LineError> Errors)> Resolve(IReadOnlyList<ImportLine> lines)
    {
        var named = lines.SelectMany(line => Find(line, line.Values, "")).ToArray();
        if (named.Length == 0)
        {
            return (lines, []);
        }
        var errors = new List<LineError>();
        var bad = new HashSet<ImportLine>();
        foreach (var alike in named.GroupBy(one => one.Columns, StringComparer.Ordinal))
        {
            var found = await Find([.. alike]);
            foreach (var (one, ids) in alike.Zip(found))
            {
                if (Problem(one, ids) is { } problem)
                {
                    errors.Add(problem);
                    bad.Add(one.Line);
                }
            }
            foreach (var (one, ids) in alike.Zip(found).Where(pair => !bad.Contains(pair.First.Line)))
            {
                one.Set(ids[0]);
            }
        }
        return (bad.Count == 0 ? lines : [.. lines.Where(line => !bad.Contains(line))], errors);
    }

    private static LineError? Problem(Named one, ImmutableArray<Guid> ids)
    {
        var field = $"{one.Pointer}{one.Keys[0].Key.Name}";
        return ids.Length switch
        {
            0 => new(one.Line.Line, field, $"{one.Told} names nothing in this organization."),
            1 when one.Values.Id(one.Reference.Name) is { } given && given != ids[0] => new(one.Line.Line, field, $"{one.Told} names something else than {one.Pointer}{one.Reference.Name}."),
            1 => null,
            _ => new(one.Line.Line, field, $"{one.Told} names several {one.Keys[0].Key.Target.Plural}. Give more columns, or {one.Pointer}{one.Reference.Name}."),
        };
    }

    /// <summary>For each, the ids of up to two rows that bear all of its keys.</summary>
    private async Task<ImmutableArray<Guid>[]> Find(Named[] alike)
    {
        var target = alike[0].Keys[0].Key.Target;
        var distinct = alike.DistinctBy(one => one.Text, StringComparer.Ordinal).ToArray();
        var places = distinct.Index().ToDictionary(entry => entry.Item.Text, entry => entry.Index, StringComparer.Ordinal);
        var columns = alike[0].Keys.Index().Select(entry => string.Create(CultureInfo.InvariantCulture, $"k{entry.Index}")).ToArray();
        var sql = $"""
            SELECT given.place, found.id
            FROM unnest({string.Join(", ", columns.Select((_, index) => string.Create(CultureInfo.InvariantCulture, $"${index + 2}")))}) WITH ORDINALITY AS given ({string.Join(", ", columns)}, place)
            CROSS JOIN LATERAL (
                SELECT t.{target.KeyColumn} AS id FROM {target.Table} t
                WHERE t.organization_id = $1 AND {string.Join(" AND ", alike[0].Keys.Zip(columns).Select(pair => pair.First.Key.Condition($"given.{pair.Second}")))}
                LIMIT 2) found
            """;
        object?[] values =
        [
            request.Caller.OrganizationId,
            .. columns.Select((_, index) => new NpgsqlParameter
            {
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
                Value = distinct.Select(one => one.Keys[index].Key.Type.WriteText(one.Keys[index].Value)).ToArray(),
            }),
        ];
        var found = distinct.Select(_ => ImmutableArray<Guid>.Empty).ToArray();
        await using var rows = await session.QueryAsync(sql, request.Cancelled, values);
        while (await rows.ReadAsync(request.Cancelled))
        {
            var place = rows.GetInt64(0) - 1;
            found[place] = found[place].Add(rows.GetGuid(1));
        }
        return [.. alike.Select(one => found[places[one.Text]])];
    }

    /// <summary>References that natural keys name, however deep.</summary>
    private IEnumerable<Named> Find(ImportLine line, ShapeValues values, string pointer)
    {
        var keys = values.All.Select(entry => (Key: shape.KeyOf(entry.Field), entry.Value)).Where(entry => entry.Key is not null).ToArray();
        foreach (var empty in keys.Where(entry => entry.Value is null))
        {
            values.Remove(empty.Key!.Name);
        }
        foreach (var ofReference in keys.Where(entry => entry.Value is not null).GroupBy(entry => entry.Key!.Reference.Name, StringComparer.Ordinal))
        {
            yield return new Named(line, values, pointer, [.. ofReference.Select(entry => (entry.Key!, entry.Value!)).OrderBy(entry => entry.Item1.Name, StringComparer.Ordinal)]);
        }
        foreach (var (field, value) in values.All.Where(entry => entry.Value is ShapeValues or ImmutableArray<object>).ToArray())
        {
            var members = value is ShapeValues one ? [(one, $"{pointer}{field.Name}/")]
                : ((ImmutableArray<object>)value!).Index().Where(item => item.Item is ShapeValues).Select(item => ((ShapeValues)item.Item, string.Create(CultureInfo.InvariantCulture, $"{pointer}{field.Name}/{item.Index}/")));
            foreach (var named in members.SelectMany(member => Find(line, member.Item1, member.Item2)))
            {
                yield return named;
            }
        }
    }

    /// <summary>A reference that a line names by natural keys.</summary>
    /// <param name="Values">The object that it stands in.</param>
    /// <param name="Pointer">Where that is, with a slash at its end; empty for the line itself.</param>
    private sealed record Named(ImportLine Line, ShapeValues Values, string Pointer, ImmutableArray<(NaturalKey Key, object Value)> Keys)
    {
        public Field Reference => Keys[0].Key.Reference;

        /// <summary>Which keys of which reference: what can be looked up together.</summary>
        public string Columns { get; } = string.Join(' ', Keys.Select(entry => entry.Key.Name).Prepend(Keys[0].Key.Target.Path));

        /// <summary>The keys' values: what is looked up once.</summary>
        public string Text { get; } = string.Join('\0', Keys.Select(entry => entry.Key.Type.WriteText(entry.Value)));

        public string Told => string.Join(" with ", Keys.Select(entry => $"{Pointer}{entry.Key.Name}"));

        public void Set(Guid id)
        {
            foreach (var (key, _) in Keys)
            {
                Values.Remove(key.Name);
            }
            Values.Set(Reference, id);
        }
    }
}
