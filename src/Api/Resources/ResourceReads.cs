using System.Collections.Immutable;
using System.Globalization;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using AgentPlatform.Data.Texts;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Resources;

/// <summary>Reads one row, or a page of them.</summary>
internal static class ResourceReads
{
    public static Task<IResult> Read(Resource resource, OperationRequest request) => Read(resource, request, ResourceWrites.KeyOf(resource, request));

    /// <summary>Answers one row; 404 where there is none that the caller can see.</summary>
    public static async Task<IResult> Read(Resource resource, OperationRequest request, Guid? id)
    {
        if (id is null)
        {
            return Problem.NotFound();
        }
        await using var row = await TenantSession.ReadAsync(
            request.Service<ApiDataSource>(), request.Caller.Tenant, ResourceSql.Of(resource).SelectOne, request.Cancelled, request.Caller.OrganizationId, id);
        if (!await row.ReadAsync(request.Cancelled))
        {
            return Problem.NotFound();
        }
        var found = ResourceRow.Read(resource, ResourceSql.Of(resource).Readable, row, ResourceWrites.Context(request));
        return JsonAnswer.OfBytes(found.Json, version: found.Version);
    }

    public static async Task<IResult> List(Resource resource, OperationRequest request)
    {
        var sort = request.Parameter<string>("sort") ?? resource.DefaultSort;
        var query = new ListQuery(request.Caller.OrganizationId);
        if (resource.Parent is { } parent)
        {
            if (!await request.PathExists(parent.Table))
            {
                return Problem.NotFound();
            }
            query.Where($"t.{parent.Column} = {query.Add(request.PathId()!.Value)}");
        }
        AddFilters(resource, request, query);
        if (AddPosition(resource, request, sort, query) is { } problem)
        {
            return problem;
        }

        var limit = request.Has("limit") ? request.Parameter<int>("limit") : ApiOptions.DefaultPageSize;
        var (rows, next) = await Page(resource, request, query, sort, limit, ResourceSql.Of(resource).SelectList, ResourceSql.Of(resource).Listed);
        return Operations.Page.Of(rows.Select(row => row.Json), next);
    }

    /// <summary>So many rows of a list in its order, with all that can be read of each, and the cursor of what follows. For exports: the request's cursor says where to go on.</summary>
    internal static async Task<(IReadOnlyList<ResourceRow> Rows, string? Next)> Whole(Resource resource, OperationRequest request, int limit)
    {
        var sort = request.Parameter<string>("sort") ?? resource.DefaultSort;
        var query = new ListQuery(request.Caller.OrganizationId);
        if (resource.Parent is { } parent)
        {
            query.Where($"t.{parent.Column} = {query.Add(request.Parameter<Guid>(ResourceOperations.ParentField(resource).Name))}");
        }
        AddFilters(resource, request, query);
        return AddPosition(resource, request, sort, query) is { } problem
            ? throw new InvalidOperationException(problem.Detail)
            : await Page(resource, request, query, sort, limit, ResourceSql.Of(resource).SelectAll, ResourceSql.Of(resource).Readable);
    }

    private static async Task<(IReadOnlyList<ResourceRow> Rows, string? Next)> Page(
        Resource resource, OperationRequest request, ListQuery query, string sort, int limit, string select, ImmutableArray<Field> fields)
    {
        var (field, descending) = SortOf(resource, sort);
        var direction = descending ? "DESC" : "ASC";
        var nulls = field.IsNullable ? " NULLS LAST" : "";
        var sql = $"{select} WHERE {ResourceSql.Of(resource).OfTenant}{query.Conditions} ORDER BY {ResourceSql.Expression(field)} {direction}{nulls}, t.{resource.KeyColumn} {direction} LIMIT {query.Add(limit + 1)}";
        var rows = new List<ResourceRow>(limit + 1);
        await using (var reader = await TenantSession.ReadAsync(request.Service<ApiDataSource>(), request.Caller.Tenant, sql, request.Cancelled, query.Values))
        {
            while (await reader.ReadAsync(request.Cancelled))
            {
                rows.Add(ResourceRow.Read(resource, fields, reader, ResourceWrites.Context(request)));
            }
        }
        if (rows.Count <= limit)
        {
            return (rows, null);
        }
        rows.RemoveAt(limit);
        return (rows, CursorAt(rows[limit - 1], sort, field));
    }

    private static void AddFilters(Resource resource, OperationRequest request, ListQuery query)
    {
        foreach (var field in resource.Shape.Fields)
        {
            var expression = ResourceSql.Expression(field);
            if (field.IsFilter && request.Query.TryGetValue(field.Name, out var wanted))
            {
                query.Where(FilterCondition(field, wanted, query));
            }
            if (field.IsRange && request.Query.TryGetValue($"{field.Name}From", out var from))
            {
                query.Where($"{expression} >= {query.Add(field.Type.Parameter(from[0]))}");
            }
            if (field.IsRange && request.Query.TryGetValue($"{field.Name}To", out var to))
            {
                query.Where($"{expression} < {query.Add(field.Type.Parameter(to[0]))}");
            }
        }
        foreach (var filter in resource.Filters)
        {
            if (request.Query.TryGetValue(filter.Parameter.Name, out var given))
            {
                query.Where(string.Format(CultureInfo.InvariantCulture, filter.Condition, query.Add(filter.Parameter.Type.Parameter(given[0]))));
            }
        }
        // A search box that was cleared asks for nothing.
        if (request.Parameter<string>("q") is { } text && !ComparableText.IsBlank(text))
        {
            var parameter = query.Add(text);
            query.Where(resource.SearchCondition is { } condition
                ? string.Format(CultureInfo.InvariantCulture, condition, parameter)
                : $"({string.Join(" OR ", resource.Shape.Fields.Where(field => field.IsSearched).Select(field => $"strpos(comparable_text({ResourceSql.Expression(field)}), comparable_text({parameter})) > 0"))})");
        }
    }

    private static string FilterCondition(Field field, ImmutableArray<object> wanted, ListQuery query)
    {
        var expression = ResourceSql.Expression(field);
        var values = wanted.Where(value => value != QueryParameter.Nothing).ToArray();
        var conditions = new List<string>();
        if (field.Type is TextListType && values.Length > 0)
        {
            conditions.Add(ResourceSql.Has(field, query.Add(field.Type.Parameter(values.SelectMany(value => (string[])value).ToArray()))));
        }
        else
        {
            conditions.AddRange(values.Select(value => ResourceSql.Has(field, query.Add(field.Type.Parameter(value)))));
        }
        if (values.Length < wanted.Length)
        {
            conditions.Add(field.Type switch
            {
                TextListType => $"{expression} = '{{}}'",
                { IsFreeText: true } => $"({expression} IS NULL OR {expression} = '')",
                _ => $"{expression} IS NULL",
            });
        }
        return $"({string.Join(" OR ", conditions)})";
    }

    private static Problem? AddPosition(Resource resource, OperationRequest request, string sort, ListQuery query)
    {
        if (request.Parameter<string>("cursor") is not { } text)
        {
            return null;
        }
        var (field, descending) = SortOf(resource, sort);
        var cursor = PageCursor.Parse(text);
        var value = cursor?.Value is null ? null : field.Type.Wanted().ReadText(cursor.Value);
        if (cursor is null || cursor.Sort != sort || value is null != cursor.Value is null || value is null && !field.IsNullable)
        {
            return Problem.Invalid("cursor", "cursor is not one that this list gave for this sort.");
        }
        var expression = ResourceSql.Expression(field);
        var id = query.Add(cursor.Id);
        var beyond = descending ? "<" : ">";
        if (value is null)
        {
            query.Where($"{expression} IS NULL AND t.{resource.KeyColumn} {beyond} {id}");
            return null;
        }
        var last = query.Add(field.Type.Parameter(value));
        var after = $"({expression}, t.{resource.KeyColumn}) {beyond} ({last}, {id})";
        query.Where(field.IsNullable ? $"({after} OR {expression} IS NULL)" : after);
        return null;
    }

    private static string CursorAt(ResourceRow row, string sort, Field field) =>
        new PageCursor(sort, row.Raw(field.Name) is { } value ? field.Type.WriteText(value) : null, row.Id).ToString();

    private static (Field Field, bool Descending) SortOf(Resource resource, string sort) =>
        (resource.Shape.Find(sort.TrimStart('-'))!, sort.StartsWith('-'));
}

/// <summary>Conditions and parameters of a list, as they come together.</summary>
internal sealed class ListQuery
{
    private readonly List<object?> _values = [];
    private readonly List<string> _conditions = [];

    /// <summary>$1 is the organization.</summary>
    public ListQuery(Guid organizationId)
    {
        _values.Add(new NpgsqlParameter { Value = organizationId, NpgsqlDbType = NpgsqlDbType.Uuid });
    }

    public object?[] Values => [.. _values];

    /// <summary>Each with a leading AND.</summary>
    public string Conditions => string.Concat(_conditions.Select(condition => $" AND {condition}"));

    /// <summary>Adds a parameter and returns its name.</summary>
    public string Add(object value)
    {
        _values.Add(value);
        return string.Create(CultureInfo.InvariantCulture, $"${_values.Count}");
    }

    public void Where(string condition) => _conditions.Add(condition);
}
