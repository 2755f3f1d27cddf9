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

    /// <summary>It may end somebody's access or change somebody's role. Once it is answered, this process looks up sessions and keys anew; the others do as soon as Postgres tells them.</summary>
    public bool ChangesAccess { get; init; }

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
/// <param name="IsList">Several values, joined by commas.</param>
public sealed record QueryParameter(string Name, FieldType Type, string Description, bool IsList = false)
{
    /// <summary>Most values of a list.</summary>
    public const int MaxValues = 50;

    /// <summary>A text besides the type's values, such as <c>none</c>.</summary>
    public string? Also { get; init; }
}

/// <summary>Names of rate limits.</summary>
public static class RateLimits
{
    public const string Default = "default";
    public const string SignIn = "sign-in";

    /// <summary>The feature counts by itself.</summary>
    public const string Own = "own";
}
