using System.Collections.Immutable;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Operations;

/// <summary>
/// What a route is: who may call it, what it takes, what it answers. The checks before the handler, the OpenAPI document, docs/roles.md and the
/// isolation tests all follow from it.
/// </summary>
public sealed record Operation
{
    /// <summary>OpenAPI <c>operationId</c>, such as <c>listAgents</c>.</summary>
    public required string Id { get; init; }

    /// <summary>OpenAPI tag: the feature.</summary>
    public required string Tag { get; init; }

    public required string Summary { get; init; }

    public string? Description { get; init; }

    /// <summary>The lowest role that may call it; null for a route without sign-in.</summary>
    public required Role? Role { get; init; }

    /// <summary>Only a person who is signed in may call it, never an API key.</summary>
    public bool NeedsPerson { get; init; }

    /// <summary>Only a member of the organization may call it, not a super admin who has entered it.</summary>
    public bool NeedsMember { get; init; }

    /// <summary>Only a super admin may call it, who looks after the whole installation.</summary>
    public bool NeedsSuperAdmin { get; init; }

    /// <summary>It may end somebody's access or change somebody's role. Once it is answered, this process looks up sessions and keys again; the others do as soon as Postgres tells them.</summary>
    public bool ChangesAccess { get; init; }

    /// <summary>A conversation, or a server elsewhere, decides how long it takes; it holds no connection to the database meanwhile.</summary>
    public bool WaitsForOthers { get; init; }

    /// <summary>What an API key must be allowed (<see cref="ApiKeyScopes"/>); follows from the path where it isn't said. Null where no key may call.</summary>
    public string? Scope { get; init; }

    /// <summary>Query parameters. Others are refused.</summary>
    public ImmutableArray<QueryParameter> Query { get; init; } = [];

    public Shape? Body { get; init; }

    /// <summary>What the body is read for.</summary>
    public ShapeUse BodyUse { get; init; } = ShapeUse.Create;

    /// <summary>A body for the documentation; null to make one from the fields.</summary>
    public JsonObject? Example { get; init; }

    /// <summary>False where a missing body is the same as an empty object.</summary>
    public bool IsBodyRequired { get; init; } = true;

    /// <summary>The largest body in bytes; null for <see cref="ApiOptions.MaxBodyBytes"/>.</summary>
    public int? MaxBodyBytes { get; init; }

    public IfMatch IfMatch { get; init; } = IfMatch.None;

    /// <summary>Takes an <c>Idempotency-Key</c>.</summary>
    public bool TakesIdempotencyKey { get; init; }

    public int SuccessStatus { get; init; } = StatusCodes.Status200OK;

    /// <summary>What a success answers; null for nothing.</summary>
    public Shape? Answer { get; init; }

    /// <summary>Name of the answer's schema in the document; null to write it in place.</summary>
    public string? AnswerName { get; init; }

    /// <summary>What a dry run answers, with status 200, where that differs from a success; null where there is none.</summary>
    public Shape? PreviewAnswer { get; init; }

    /// <summary>The answer is a page <c>{items, nextCursor}</c> of <see cref="Answer"/>.</summary>
    public bool AnswersPage { get; init; }

    /// <summary>The answer carries its version as an <c>ETag</c>.</summary>
    public bool AnswersEntityTag { get; init; }

    /// <summary>The answer is a stream of server-sent events.</summary>
    public bool AnswersEvents { get; init; }

    /// <summary>The body is content of any type, which the handler reads itself.</summary>
    public bool TakesContent { get; init; }

    /// <summary>The answer is content of any type.</summary>
    public bool AnswersContent { get; init; }

    /// <summary>Problems besides those that follow from the rest.</summary>
    public ImmutableArray<ProblemType> Problems { get; init; } = [];

    /// <summary>The rate limit that applies; see <see cref="ApiOptions"/>.</summary>
    public string RateLimit { get; init; } = RateLimits.Default;
}

/// <summary>Whether a route takes <c>If-Match</c>.</summary>
public enum IfMatch
{
    None,

    /// <summary>Checked when it is there.</summary>
    Optional,

    /// <summary>428 without it.</summary>
    Required,
}

/// <summary>A query parameter.</summary>
/// <param name="IsList">Several values: the parameter is repeated. Commas separate values too where no value can hold one.</param>
public sealed record QueryParameter(string Name, FieldType Type, string Description, bool IsList = false)
{
    /// <summary>Most values of a list.</summary>
    public const int MaxValues = 50;

    /// <summary>What is read where rows without a value are asked for.</summary>
    public static readonly object Nothing = DBNull.Value;

    /// <summary>Rows without a value can be asked for: by <see cref="NothingText"/>.</summary>
    public bool TakesNothing { get; init; }

    /// <summary>How rows without a value are asked for: <c>none</c>, and where a value may be that very word the empty text, which means none to people too.</summary>
    public string NothingText => Type.IsFreeText ? "" : "none";

    /// <summary>The values in what was given, each as text; null where it can't be given so often.</summary>
    public IReadOnlyList<string>? Split(IReadOnlyList<string?> given)
    {
        var texts = !IsList || Type.IsFreeText ? [.. given.Select(text => text ?? "")] : given.SelectMany(text => (text ?? "").Split(',')).ToList();
        return texts.Count > (IsList ? MaxValues : 1) ? null : texts;
    }

    /// <summary>One value, or <see cref="Nothing"/>; null when it doesn't fit.</summary>
    public object? Read(string text) => TakesNothing && text == NothingText ? Nothing : Type.ReadText(text);
}

/// <summary>Names of rate limits.</summary>
public static class RateLimits
{
    public const string Default = "default";
    public const string SignIn = "sign-in";

    /// <summary>The feature counts by itself.</summary>
    public const string Own = "own";
}
