using System.Collections.Immutable;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Resources;

/// <summary>
/// What a resource is: its table, its fields, who may do what, its own rules. From a declaration follow the routes, the SQL, the OpenAPI schemas, the role
/// table, the audit rows and the isolation tests. A new resource is one file that makes one of these, and one line in <see cref="ResourceCatalog"/>.
/// </summary>
public sealed record Resource
{
    private readonly Lazy<Shape> _shape;

    public Resource()
    {
        _shape = new(() => new Shape([Id(), .. Fields, .. Trailing()]));
    }

    /// <summary>Path below <c>/v1/</c>, plural: <c>prompt-variants</c>.</summary>
    public required string Path { get; init; }

    /// <summary>One of them in camelCase, for operation ids and the audit log: <c>promptVariant</c>.</summary>
    public required string Singular { get; init; }

    /// <summary>Several of them in camelCase, for operation ids: <c>promptVariants</c>.</summary>
    public required string Plural { get; init; }

    /// <summary>What it is, for people.</summary>
    public required string Description { get; init; }

    public required string Table { get; init; }

    /// <summary>What lists and reads select from, where that is more than the table; its tenant column must be <c>t.organization_id</c>.</summary>
    public string? Source { get; init; }

    /// <summary>The column that the path names.</summary>
    public string KeyColumn { get; init; } = "id";

    /// <summary>Its own fields. <c>id</c>, <c>version</c>, <c>createdAt</c> and <c>updatedAt</c> are added.</summary>
    public required ImmutableArray<Field> Fields { get; init; }

    /// <summary>False for a table without <c>version</c>: it can't be changed through the API.</summary>
    public bool HasVersion { get; init; } = true;

    public bool HasUpdatedAt { get; init; } = true;

    /// <summary>Belongs to the installation: the table has no organization. Everyone may read it, super admins write it.</summary>
    public bool IsGlobal { get; init; }

    /// <summary>Only super admins may do any of it.</summary>
    public bool NeedsSuperAdmin { get; init; }

    /// <summary>The one row is the tenant's own, at <c>/v1/{path}</c> without an id.</summary>
    public bool IsTenantItself { get; init; }

    /// <summary>Rows without an organization are shown to everybody (and changed by nobody).</summary>
    public bool HasSharedRows { get; init; }

    /// <summary>The key is one of the given fields instead of a new id.</summary>
    public string? KeyField { get; init; }

    public Role? Read { get; init; } = Role.Viewer;

    public Role? Create { get; init; }

    public Role? Update { get; init; }

    public Role? Delete { get; init; }

    /// <summary>Rows belong to one member each (<c>user_id</c>), who alone sees them.</summary>
    public bool IsOfCaller { get; init; }

    /// <summary>Only a person who is signed in may do any of it, never an API key.</summary>
    public bool NeedsPerson { get; init; }

    /// <summary>Only a person who is signed in may make one: a key must not become somebody.</summary>
    public bool CreationNeedsPerson { get; init; }

    /// <summary>A row says who may do what: a change or deletion counts as soon as it is answered.</summary>
    public bool DecidesAccess { get; init; }

    /// <summary>A query of what goes with a row (<c>$1</c>) where its foreign keys don't tell: table, effect, how many rows.</summary>
    public string? FurtherEffects { get; init; }

    /// <summary>Secrets that the product makes at creation: the answer shows them (<see cref="ResourceChange.Revealed"/>), and nothing ever after.</summary>
    public ImmutableArray<Field> RevealedOnce { get; init; } = [];

    /// <summary>Many rows can be changed in one request, at <c>bulk-update</c>.</summary>
    public bool AllowsBulkUpdate { get; init; }

    /// <summary>As in <c>?sort=</c>: a field, with a minus for descending.</summary>
    public string DefaultSort { get; init; } = "-createdAt";

    /// <summary>SQL condition for <c>?q=</c> where looking into each row is too slow; <c>{0}</c> stands for the parameter.</summary>
    public string? SearchCondition { get; init; }

    /// <summary>Filters of lists that are more than a field and its value.</summary>
    public ImmutableArray<ListFilter> Filters { get; init; } = [];

    /// <summary>Lists stand under a row of another resource: <c>/v1/conversations/{id}/turns</c>. Null for <c>/v1/{path}</c>.</summary>
    public ResourceParent? Parent { get; init; }

    /// <summary>What <c>?q=</c> looks into, where it isn't the fields that are marked.</summary>
    public string? SearchAbout { get; init; }

    /// <summary>Unique constraints and indexes: which field is taken, and what to say.</summary>
    public ImmutableArray<UniqueRule> Uniques { get; init; } = [];

    /// <summary>Rules that the database checks: which field to blame, and what to say.</summary>
    public ImmutableArray<CheckRule> Checks { get; init; } = [];

    /// <summary>Its rows can be imported from a file; null where they can't.</summary>
    public Transfer.ImportRule? Import { get; init; }

    /// <summary>
    /// Fields by which a file may name a row where it doesn't know its id. A reference among them is followed: <c>productId</c> of tours stands for what products are
    /// known by.
    /// </summary>
    public ImmutableArray<string> KnownBy { get; init; } = [];

    /// <summary>A body that creates one, for the documentation; null to make one from the fields.</summary>
    public JsonObject? Example { get; init; }

    /// <summary>
    /// A statement that runs before a row is held for a change or deletion ($1 organization, $2 key). What it locks is locked first by everybody, so that changes
    /// that touch several rows wait for each other instead of blocking each other.
    /// </summary>
    public string? LockedFirst { get; init; }

    /// <summary>Rules of its own, before a row is written: may refuse, and may change or add what is written.</summary>
    public Func<ResourceChange, Task<Problem?>>? BeforeWrite { get; init; }

    /// <summary>What people do to a row besides changing its fields.</summary>
    public ImmutableArray<ResourceAction> Actions { get; init; } = [];

    /// <summary>More writes in the same transaction, after the row was written.</summary>
    public Func<ResourceChange, Task>? AfterWrite { get; init; }

    /// <summary>All fields: the key, its own, and those that every resource has.</summary>
    public Shape Shape => _shape.Value;

    /// <summary>Name of its schema: <c>PromptVariant</c>.</summary>
    public string SchemaName => char.ToUpperInvariant(Singular[0]) + Singular[1..];

    private Field Id() => Uuid("id").ReadOnly() with { Column = KeyColumn };

    private IEnumerable<Field> Trailing()
    {
        if (HasVersion)
        {
            yield return Long("version").ReadOnly().About("Rises with each change; the `ETag` is made from it.");
        }
        yield return Timestamp("createdAt").ReadOnly().Ranged().Sorted();
        if (HasUpdatedAt)
        {
            yield return Timestamp("updatedAt").ReadOnly().Ranged().Sorted();
        }
    }
}

/// <summary>The row that lists stand under.</summary>
/// <param name="Path">Path of its resource.</param>
/// <param name="Table">Its table.</param>
/// <param name="Column">The column that refers to it.</param>
public sealed record ResourceParent(string Path, string Table, string Column);

/// <summary>A query parameter with its own condition.</summary>
/// <param name="Condition">SQL; <c>{0}</c> stands for the parameter.</param>
public sealed record ListFilter(Operations.QueryParameter Parameter, string Condition);

/// <summary>A constraint that holds a value unique.</summary>
/// <param name="Constraint">Its name in the database.</param>
/// <param name="Field">The field to blame.</param>
/// <param name="Detail">A sentence that can be shown.</param>
public sealed record UniqueRule(string Constraint, string Field, string Detail);

/// <summary>A rule that the database checks when all values fit by themselves.</summary>
/// <param name="Constraint">Its name in the database: of a constraint, or what a trigger's exception gives as one.</param>
/// <param name="Field">The field to blame.</param>
/// <param name="Detail">A sentence that can be shown; null for the one that the database says.</param>
/// <param name="IsAboutState">It is not the value but the moment that doesn't fit: a conflict rather than an invalid request.</param>
public sealed record CheckRule(string Constraint, string Field, string? Detail = null, bool IsAboutState = false);
