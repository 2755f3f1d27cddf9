using System.Text.Json.Nodes;
using AgentPlatform.Api.Resources;

namespace AgentPlatform.Api.Tests.Crm.Rules;

/// <summary>A way in which a value gets into the database.</summary>
public enum Way
{
    Post,
    ImportCsv,
    ImportJson,
    SqlInsert,
    Patch,
    BulkUpdate,
    UpsertCsv,
    UpsertJson,
    SqlUpdate,
    Action,
}

/// <summary>What becomes of an attempt to break a rule.</summary>
public enum Outcome
{
    /// <summary>It is refused, by name, and nothing has changed.</summary>
    Refused,

    /// <summary>It is taken, and what it says against the rule is put right.</summary>
    Settled,

    /// <summary>Requests are refused for a field that the product sets by itself; files and SQL are put right.</summary>
    Ignored,
}

/// <summary>A rule and how one would break it: once said, it is tried in every way that its resource has.</summary>
internal sealed record RuleCase(string Rule, Resource Resource, Outcome Outcome, Func<RuleWorld, Scene, Task> Arrange)
{
    /// <summary>A new row that would break the rule.</summary>
    public Func<Scene, JsonObject>? Create { get; init; }

    /// <summary>A change of the scene's <c>row</c> that would break it.</summary>
    public Func<Scene, JsonObject>? Change { get; init; }

    /// <summary>Actions on the scene's <c>row</c> that would break it, all refused unless the rule says otherwise.</summary>
    public (string Name, Func<Scene, JsonObject> Body)[] Actions { get; init; } = [];

    public Outcome ActionOutcome { get; init; } = Outcome.Refused;

    /// <summary>What becomes of SQL, where that is something else.</summary>
    public Outcome? SqlOutcome { get; init; }

    /// <summary>What must hold, as SQL: $1 is the organization, <c>{name}</c> an id of the scene.</summary>
    public required string Holds { get; init; }

    /// <summary>False for a rule about who may: SQL as the API's role has no person's role.</summary>
    public bool HoldsInSql { get; init; } = true;

    /// <summary>The ways that this rule can be tried in.</summary>
    public IEnumerable<Way> Ways()
    {
        if (Create is not null)
        {
            yield return Way.Post;
            if (Resource.Import is not null)
            {
                yield return Way.ImportCsv;
                yield return Way.ImportJson;
            }
            if (HoldsInSql)
            {
                yield return Way.SqlInsert;
            }
        }
        if (Change is not null)
        {
            yield return Way.Patch;
            if (Resource.AllowsBulkUpdate)
            {
                yield return Way.BulkUpdate;
            }
            if (Resource.Import?.Keys.Length > 0)
            {
                yield return Way.UpsertCsv;
                yield return Way.UpsertJson;
            }
            if (HoldsInSql)
            {
                yield return Way.SqlUpdate;
            }
        }
        if (Actions.Length > 0)
        {
            yield return Way.Action;
        }
    }
}

/// <summary>The rows that one attempt is about, and who makes it.</summary>
internal sealed class Scene
{
    private readonly Dictionary<string, Guid> _ids = new(StringComparer.Ordinal);

    public HttpClient? Actor { get; set; }

    /// <summary>A text that no other scene has: names, numbers.</summary>
    public string Mark { get; } = Random.Shared.NextInt64(1_000_000_000, 9_999_999_999).ToString(System.Globalization.CultureInfo.InvariantCulture);

    public string Phone => $"+1{Mark}";

    public IReadOnlyDictionary<string, Guid> Ids => _ids;

    public Guid this[string name]
    {
        get => _ids[name];
        set => _ids[name] = value;
    }
}
