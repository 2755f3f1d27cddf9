using System.Collections.Immutable;

namespace AgentPlatform.Api.Problems;

/// <summary>A kind of failure that callers may rely on. Its URI never changes; <c>docs/errors.md</c> lists them all and is produced from here.</summary>
/// <param name="Name">Last part of the URI.</param>
/// <param name="Status">HTTP status code.</param>
/// <param name="Title">The same for every occurrence.</param>
/// <param name="Meaning">For the documentation: when it happens and what a caller can do.</param>
public sealed record ProblemType(string Name, int Status, string Title, string Meaning)
{
    /// <summary>What all URIs begin with.</summary>
    public const string Prefix = "urn:agentplatform:problem:";

    /// <summary>Value of <c>type</c>.</summary>
    public string Uri => Prefix + Name;

    public static readonly ProblemType MalformedBody = new("malformed-body", 400, "The body can't be read",
        "The body is missing, breaks off, is not JSON in UTF-8 where it should be, names a member twice, or is nested too deeply. `detail` says where.");

    public static readonly ProblemType Validation = new("validation", 400, "The request is not valid",
        "A field, query parameter or header is missing, unknown, of the wrong type or out of bounds. `errors` lists each: `field` is a JSON pointer into the body, or the name of a query parameter or header.");

    public static readonly ProblemType InvalidCredentials = new("invalid-credentials", 401, "E-mail or password is wrong",
        "Sign-in failed. The answer is the same whether or not the e-mail address is known.");

    public static readonly ProblemType Unauthenticated = new("unauthenticated", 401, "A valid access token is needed",
        "No bearer token, or one that is malformed, expired or revoked. Refresh it, or sign in again.");

    public static readonly ProblemType SessionEnded = new("session-ended", 401, "The session has ended",
        "The refresh token is unknown, expired, revoked, or was used before. Using an old token ends the whole session. Sign in again.");

    public static readonly ProblemType Forbidden = new("forbidden", 403, "Your role does not allow this",
        "The member's role is below the one that the route needs, the API key lacks its scope, or only a person may do it (see docs/roles.md).");

    public static readonly ProblemType LinkEnded = new("link-ended", 410, "The link no longer works",
        "The link of an invitation or of a new password is unknown, expired, used or revoked; the answer is the same for all. Ask for a new one.");

    public static readonly ProblemType NotFound = new("not-found", 404, "There is no such thing",
        "The route or the resource does not exist, or belongs to another organization: the answers are the same.");

    public static readonly ProblemType MethodNotAllowed = new("method-not-allowed", 405, "The route does not take this method",
        "See the `Allow` header.");

    public static readonly ProblemType Conflict = new("conflict", 409, "It conflicts with something that exists",
        "A value that must be unique is taken, something else still refers to the resource, or its state does not allow the change. `errors` names the field where there is one.");

    public static readonly ProblemType Refused = new("refused-by-platform", 409, "The channel's platform does not allow this now",
        "For example: WhatsApp's 24 hour window is closed, or the contact blocked the channel. `detail` says which.");

    public static readonly ProblemType VersionConflict = new("version-conflict", 412, "It was changed by someone else",
        "`If-Match` names another version than the current one, which is in `currentVersion` and in the `ETag` header. Read again, and decide again.");

    public static readonly ProblemType BodyTooLarge = new("body-too-large", 413, "The body is too large",
        "The body exceeds the limit that `detail` names.");

    public static readonly ProblemType UnsupportedMediaType = new("unsupported-media-type", 415, "The body is of a kind that is not taken",
        "Send `Content-Type: application/json`; a compressed body with a `Content-Encoding` that the answer's `Accept-Encoding` names.");

    public static readonly ProblemType IdempotencyKeyReused = new("idempotency-key-reused", 422, "The Idempotency-Key was used for another request",
        "The same key came with another route or body. Use a new key for a new request.");

    public static readonly ProblemType PreconditionRequired = new("precondition-required", 428, "If-Match is needed",
        "Changes name the version that they are based on: send the `ETag` of the last read as `If-Match`.");

    public static readonly ProblemType TooManyRequests = new("too-many-requests", 429, "Too many requests",
        "A limit was reached; `detail` names it, `Retry-After` says when to come again.");

    public static readonly ProblemType Internal = new("internal", 500, "Something went wrong on our side",
        "A defect. `traceId` finds it in the log.");

    public static readonly ProblemType Unavailable = new("unavailable", 503, "Not available for the moment",
        "The database or the engine can't be reached. Nothing was acknowledged; try again after `Retry-After` seconds.");

    /// <summary>All of them: the API's by status, then those of webhooks and visitors.</summary>
    public static readonly ImmutableArray<ProblemType> All =
    [
        MalformedBody, Validation, InvalidCredentials, Unauthenticated, SessionEnded, Forbidden, NotFound, MethodNotAllowed, Conflict, Refused, LinkEnded,
        VersionConflict, BodyTooLarge, UnsupportedMediaType, IdempotencyKeyReused, PreconditionRequired, TooManyRequests, Internal, Unavailable,
        Webhooks.WebhookProblems.NotAuthentic, Webhooks.WebhookProblems.NoSecret, Webhooks.WebhookProblems.Inactive, Webhooks.WebhookProblems.NotVerified,
        Webhooks.WebhookProblems.TooSlow, Webhooks.WebhookProblems.TooManyBytes,
        WebChat.WebChatProblems.OriginNotAllowed, WebChat.WebChatProblems.VisitorUnknown,
    ];
}
