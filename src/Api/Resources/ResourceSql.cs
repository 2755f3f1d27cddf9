using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Resources;

/// <summary>The statements of a resource. Names come from its declaration, values are always parameters.</summary>
internal sealed class ResourceSql
{
    private static readonly ConcurrentDictionary<string, ResourceSql> Known = new(StringComparer.Ordinal);

    private readonly Resource _resource;
    private readonly string _columns;

    private ResourceSql(Resource resource)
    {
        _resource = resource;
        Readable = [.. resource.Shape.Fields.Where(field => field.IsReadable)];
        Listed = [.. Readable.Where(field => !field.IsDetail)];
        _columns = string.Join(", ", Readable.Select(Expression));
    }

    /// <summary>The fields that are selected for one row, in order.</summary>
    public ImmutableArray<Field> Readable { get; }

    /// <summary>The fields that are selected for a list, in order.</summary>
    public ImmutableArray<Field> Listed { get; }

    /// <summary>Only rows of the organization, $1. Row level security says the same; this lets the planner use the indexes that begin with it.</summary>
    public string OfTenant => _resource switch
    {
        { IsTenantItself: true } => $"{Key} = $1",
        { IsGlobal: true } => "$1::uuid IS NOT NULL",
        { IsOfCaller: true } => "t.organization_id = $1 AND t.user_id = current_user_id()",
        { HasSharedRows: true } => "(t.organization_id = $1 OR t.organization_id IS NULL)",
        _ => "t.organization_id = $1",
    };

    public string SelectList => $"SELECT {string.Join(", ", Listed.Select(Expression))} FROM {Source}";

    /// <summary>All that can be read of each row.</summary>
    public string SelectAll => $"SELECT {_columns} FROM {Source}";

    /// <summary>Columns of a statement's RETURNING.</summary>
    public string Returned => _columns;

    /// <summary>The list's columns, and more after them.</summary>
    public string SelectListAnd(string more) => $"SELECT {string.Join(", ", Listed.Select(Expression))}, {more} FROM {Source}";

    /// <summary>$1 organization, $2 key.</summary>
    public string SelectOne => $"SELECT {_columns} FROM {Source} WHERE {OfTenant} AND {Key} = $2";

    /// <summary>$1 organization, $2 key; holds the row until the transaction ends.</summary>
    public string SelectForChange => $"{SelectOne} FOR NO KEY UPDATE OF t";

    /// <summary>The same as the deletion itself will hold it, so that it never waits for whoever came in between and waits for it.</summary>
    public string SelectForDeletion => $"{SelectOne} FOR UPDATE OF t";

    public string Delete => $"DELETE FROM {_resource.Table} t WHERE {OfTenant} AND {Key} = $2";

    private string Source => _resource.Source ?? $"{_resource.Table} t";

    private string Key => $"t.{_resource.KeyColumn}";

    public static ResourceSql Of(Resource resource) => Known.GetOrAdd(resource.Path, static (_, resource) => new ResourceSql(resource), resource);

    public static string Expression(Field field) => field.Expression ?? $"t.{field.Column}";

    /// <summary>SQL that holds for the rows whose field has a value: one rule for filters, for keys of imports and for references that name it.</summary>
    public static string Has(Field field, string value) =>
        field.Recognition is { } condition ? string.Format(CultureInfo.InvariantCulture, condition, value) : field.Type.Same(Expression(field), value);

    /// <summary>Parameters in the order of the columns, from $1.</summary>
    public string Insert(IReadOnlyList<string> columns) =>
        $"INSERT INTO {_resource.Table} AS t ({string.Join(", ", columns)}) VALUES ({string.Join(", ", columns.Select((_, index) => $"${index + 1}"))}) RETURNING {_columns}";

    /// <summary>$1 organization, $2 key, then the columns. The version rises by one.</summary>
    public string Update(IReadOnlyList<string> columns) =>
        $"UPDATE {_resource.Table} AS t SET {string.Join("", columns.Select((column, index) => $"{column} = ${index + 3}, "))}version = t.version + 1 WHERE {OfTenant} AND {Key} = $2 RETURNING {_columns}";
}
