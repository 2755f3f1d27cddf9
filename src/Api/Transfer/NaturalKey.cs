using System.Collections.Immutable;
using System.Globalization;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using NpgsqlTypes;

namespace AgentPlatform.Api.Transfer;

/// <summary>A way to name the row that a reference refers to, besides its id: <c>client.phone</c> for <c>clientId</c>, <c>tour.product.sku</c> for <c>tourId</c>.</summary>
/// <param name="Reference">The field that holds the id.</param>
/// <param name="Target">What it refers to.</param>
/// <param name="Path">Fields from there on: references that are followed, and last the one whose value is given.</param>
internal sealed record NaturalKey(Field Reference, Resource Target, ImmutableArray<Field> Path)
{
    /// <summary>References that are followed, the first one included.</summary>
    private const int MostSteps = 2;

    /// <summary>As a column of a file.</summary>
    public string Name => string.Join('.', Path[..^1].Prepend(Reference).Select(Stem).Append(Path[^1].Name));

    public FieldType Type => Path[^1].Type;

    /// <summary>The keys of a reference; none where what it refers to is known by its id alone.</summary>
    public static ImmutableArray<NaturalKey> Of(Field reference) =>
        reference.Type is UuidType && TargetOf(reference) is { } target ? [.. Paths(target, 1).Select(path => new NaturalKey(reference, target, path))] : [];

    /// <summary>Whether the field refers to something that is known by its id alone: elsewhere, it says nothing.</summary>
    public static bool IsLost(Field field) => field.References is not null && Of(field).IsEmpty;

    /// <summary>SQL for the key's value of a row <c>t</c> of the target.</summary>
    public string Expression => Value(Path);

    /// <summary>SQL that holds for the rows <c>t</c> of the target with that value; $1 is the organization.</summary>
    public string Condition(string value) => Matches(Path, $"{value}::{SqlType}");

    private string SqlType => Type.DbType switch
    {
        NpgsqlDbType.Text => "text",
        NpgsqlDbType.TimestampTz => "timestamptz",
        _ => throw new InvalidOperationException($"{Name} is neither a text nor a time."),
    };

    private static Resource? TargetOf(Field reference)
    {
        // People are known to an organization as its members.
        var table = reference.References == "users" ? "organization_members" : reference.References;
        return table is null ? null : ResourceCatalog.All.FirstOrDefault(resource => resource.Table == table && !resource.KnownBy.IsEmpty);
    }

    private static IEnumerable<ImmutableArray<Field>> Paths(Resource target, int steps)
    {
        foreach (var field in target.KnownBy.Select(name => target.Shape.Find(name)!))
        {
            if (field.References is null)
            {
                yield return [field];
            }
            else if (steps < MostSteps && TargetOf(field) is { } next)
            {
                foreach (var path in Paths(next, steps + 1))
                {
                    yield return [field, .. path];
                }
            }
        }
    }

    // Every table is t in its own sub-select; the reference is taken before the inner t covers the outer one.
    private static string Value(ImmutableArray<Field> path)
    {
        if (path.Length == 1)
        {
            return ResourceSql.Expression(path[0]);
        }
        var target = TargetOf(path[0])!;
        return string.Create(CultureInfo.InvariantCulture, $"(SELECT {Value(path[1..])} FROM (SELECT t.{path[0].Column} AS id) referring JOIN {target.Table} t ON t.{target.KeyColumn} = referring.id AND t.organization_id = $1)");
    }

    private static string Matches(ImmutableArray<Field> path, string value)
    {
        if (path.Length == 1)
        {
            return ResourceSql.Has(path[0], value);
        }
        var target = TargetOf(path[0])!;
        return $"t.{path[0].Column} IN (SELECT t.{target.KeyColumn} FROM {target.Table} t WHERE t.organization_id = $1 AND {Matches(path[1..], value)})";
    }

    private static string Stem(Field reference) => reference.Name.EndsWith("Id", StringComparison.Ordinal) ? reference.Name[..^2] : reference.Name;
}
