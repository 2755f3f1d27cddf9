using System.Collections.Immutable;
using System.Text.Json;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Resources;

/// <summary>The operations that follow from a resource.</summary>
internal static class ResourceOperations
{
    /// <summary>Longest <c>?q=</c>.</summary>
    public const int MaxSearchLength = 200;

    public static void MapResource(this IEndpointRouteBuilder routes, Resource resource)
    {
        var path = $"/v1/{resource.Path}";
        var one = resource.IsTenantItself ? path : $"{path}/{{id}}";
        var several = resource.Parent is { } parent ? $"/v1/{parent.Path}/{{id}}/{resource.Path}" : path;
        if (resource.Read is not null)
        {
            if (!resource.IsTenantItself)
            {
                routes.MapOperation("GET", several, List(resource), request => ResourceReads.List(resource, request));
            }
            routes.MapOperation("GET", one, Read(resource), request => ResourceReads.Read(resource, request));
        }
        if (resource.Create is not null)
        {
            routes.MapOperation("POST", path, Create(resource), request => ResourceWrites.Create(resource, request));
        }
        if (resource.Update is not null)
        {
            routes.MapOperation("PATCH", one, Update(resource), request => ResourceWrites.Update(resource, request));
        }
        if (resource.AllowsBulkUpdate)
        {
            routes.MapOperation("POST", $"{path}/bulk-update", BulkUpdate(resource), request => BulkUpdates.Apply(resource, request));
        }
        if (resource.Delete is not null)
        {
            routes.MapOperation("DELETE", one, Delete(resource), request => ResourceWrites.Delete(resource, request));
        }
        foreach (var action in resource.Actions)
        {
            routes.MapOperation("POST", $"{one}/{action.Name}", Act(resource, action), request => ResourceWrites.Act(resource, action, request));
        }
    }

    internal static Operation List(Resource resource) => Base(resource, "list") with
    {
        Id = $"list{Capital(resource.Plural)}",
        Summary = $"List {Words(resource.Plural)}",
        Description = resource.Description,
        Answer = new Shape(resource.Shape.Fields.Where(field => !field.IsDetail)),
        AnswerName = resource.Shape.Fields.Any(field => field.IsDetail) ? $"{resource.SchemaName}Summary" : resource.SchemaName,
        Query = [.. Filters(resource), .. Paging(Sorts(resource), resource.DefaultSort)],
        AnswersPage = true,
    };

    /// <summary>The list as an export takes it: one that stands under a row of another resource names it among its parameters.</summary>
    internal static Operation Export(Resource resource) => resource.Parent is null ? List(resource) : List(resource) with
    {
        Query = [new(ParentField(resource).Name, ParentField(resource).Type, $"Of which of {resource.Parent.Path}."), .. List(resource).Query],
    };

    /// <summary>The field that names the row under which a list stands.</summary>
    internal static Field ParentField(Resource resource) => resource.Shape.Fields.First(field => field.Column == resource.Parent!.Column);

    internal static Operation Read(Resource resource) => Base(resource, "get") with
    {
        Summary = $"Read {Article(resource)}",
        AnswersEntityTag = resource.HasVersion,
    };

    internal static Operation Create(Resource resource) => Base(resource, "create") with
    {
        Role = resource.Create,
        NeedsPerson = resource.NeedsPerson || resource.CreationNeedsPerson,
        NeedsSuperAdmin = resource.IsGlobal || resource.NeedsSuperAdmin,
        Summary = $"Create {Article(resource)}",
        Body = resource.Shape,
        BodyUse = ShapeUse.Create,
        Example = resource.Example,
        SuccessStatus = StatusCodes.Status201Created,
        Answer = resource.RevealedOnce.IsEmpty ? resource.Shape : new Shape([.. resource.Shape.Fields, .. resource.RevealedOnce]),
        AnswerName = resource.RevealedOnce.IsEmpty ? resource.SchemaName : $"{resource.SchemaName}Created",
        AnswersEntityTag = resource.HasVersion,
        // A kept answer would keep the secret.
        TakesIdempotencyKey = resource.RevealedOnce.IsEmpty,
        Problems = [ProblemType.Conflict],
    };

    internal static Operation Update(Resource resource) => Base(resource, "update") with
    {
        Role = resource.Update,
        NeedsSuperAdmin = resource.IsGlobal || resource.NeedsSuperAdmin,
        Summary = $"Change {Article(resource)}",
        Description = "Only the fields that are given change. `If-Match` names the version that the change is based on.",
        Body = resource.Shape,
        BodyUse = ShapeUse.Change,
        IfMatch = IfMatch.Required,
        ChangesAccess = resource.DecidesAccess,
        AnswersEntityTag = true,
        Problems = [ProblemType.Conflict],
    };

    private static Operation Act(Resource resource, ResourceAction action) => Base(resource, JsonNamingPolicy.CamelCase.ConvertName(string.Concat(action.Name.Split('-').Select(Capital)))) with
    {
        Role = action.Role ?? resource.Update,
        Summary = action.Summary,
        Description = action.Description,
        Body = action.Body,
        IsBodyRequired = action.Body.Fields.Any(field => field.IsRequired),
        IfMatch = IfMatch.Optional,
        AnswersEntityTag = resource.HasVersion,
        Problems = [ProblemType.Conflict],
    };

    private static Operation BulkUpdate(Resource resource) => Base(resource, "bulkUpdate") with
    {
        Id = $"bulkUpdate{Capital(resource.Plural)}",
        Role = resource.Update,
        Summary = $"Change many {Words(resource.Plural)}",
        Description = $"The same change for up to {BulkUpdates.MostRows}, each by its own rules: all of them or none.",
        Body = BulkUpdates.Body(resource),
        Answer = BulkUpdates.Answer,
        AnswerName = null,
        Problems = [ProblemType.Conflict],
    };

    private static Operation Delete(Resource resource) => Base(resource, "delete") with
    {
        Role = resource.Delete,
        NeedsSuperAdmin = resource.IsGlobal || resource.NeedsSuperAdmin,
        Summary = $"Delete {Article(resource)}",
        IfMatch = resource.HasVersion ? IfMatch.Optional : IfMatch.None,
        ChangesAccess = resource.DecidesAccess,
        Description = $"With `{DeletionEffects.DryRun}=true` nothing is deleted, and the answer tells what would go with it.",
        Query = [new(DeletionEffects.DryRun, new BooleanType(), "Only tell what would happen.")],
        SuccessStatus = StatusCodes.Status204NoContent,
        Answer = null,
        PreviewAnswer = DeletionEffects.Answer,
        Problems = [ProblemType.Conflict],
    };

    private static Operation Base(Resource resource, string verb) => new()
    {
        Id = $"{verb}{Capital(resource.Singular)}",
        Tag = Words(resource.IsTenantItself ? resource.Singular : resource.Plural),
        Summary = "",
        Role = resource.Read,
        NeedsPerson = resource.NeedsPerson,
        NeedsSuperAdmin = resource.NeedsSuperAdmin,
        Answer = resource.Shape,
        AnswerName = resource.SchemaName,
    };

    /// <summary>The parameters that every list has.</summary>
    public static ImmutableArray<QueryParameter> Paging(string[] sorts, string defaultSort) =>
    [
        new("sort", new ChoiceType(sorts), $"Order; a minus for descending. Default `{defaultSort}`."),
        new("limit", new IntegerType(1, ApiOptions.MaxPageSize), $"Page size. Default {ApiOptions.DefaultPageSize}."),
        new("cursor", new TextType(PageCursor.MaxLength, 1, Example: "cursor"), "`nextCursor` of the page before."),
    ];

    private static string[] Sorts(Resource resource) => [.. resource.Shape.Fields.Where(field => field.IsSort).SelectMany(field => new[] { field.Name, $"-{field.Name}" })];

    private static IEnumerable<QueryParameter> Filters(Resource resource)
    {
        foreach (var field in resource.Shape.Fields)
        {
            if (field.IsFilter)
            {
                var takesNothing = field.IsNullable || field.Type is TextListType;
                yield return new(field.Name, field.Type.Wanted(), $"Only rows with one of these values{(!takesNothing ? "" : field.Type.IsFreeText ? "; empty for rows without any" : ", `none` for null")}.", IsList: true) { TakesNothing = takesNothing };
            }
            if (field.IsRange)
            {
                yield return new($"{field.Name}From", field.Type, $"Only rows with `{field.Name}` at or after this.");
                yield return new($"{field.Name}To", field.Type, $"Only rows with `{field.Name}` before this.");
            }
        }
        foreach (var filter in resource.Filters)
        {
            yield return filter.Parameter;
        }
        if (resource.SearchCondition is not null || resource.Shape.Fields.Any(field => field.IsSearched))
        {
            yield return new("q", new TextType(MaxSearchLength, Example: "text"), resource.SearchAbout ?? $"Only rows that hold this text in {string.Join(", ", resource.Shape.Fields.Where(field => field.IsSearched).Select(field => field.Name))}.");
        }
    }

    private static string Article(Resource resource)
    {
        var words = Words(resource.Singular);
        return resource.IsTenantItself ? $"your {words}" : "aeiou".Contains(words[0], StringComparison.Ordinal) ? $"an {words}" : $"a {words}";
    }

    private static string Words(string camel) => JsonNamingPolicy.SnakeCaseLower.ConvertName(camel).Replace('_', ' ');

    private static string Capital(string camel) => char.ToUpperInvariant(camel[0]) + camel[1..];
}
