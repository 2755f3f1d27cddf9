using System.Collections.Immutable;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Conversations;
using AgentPlatform.Api.Http;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Operations;

/// <summary>The one door of every route under <c>/v1</c>: its operation's checks, then its handler.</summary>
public static class OperationEndpoints
{
    /// <summary>Maps a route. Order of checks: sign-in, role, headers, query, body; the first two never look at the request's content.</summary>
    public static IEndpointConventionBuilder MapOperation(
        this IEndpointRouteBuilder routes, string method, string pattern, Operation operation, Func<OperationRequest, Task<IResult>> handler)
    {
        operation = operation with
        {
            Scope = operation.Role is null || operation.NeedsPerson || operation.NeedsSuperAdmin ? null : operation.Scope ?? ApiKeyScopes.Of(method, pattern),
        };
        handler = pattern.StartsWith(ConversationMerges.Route, StringComparison.Ordinal) ? ConversationMerges.Follow(handler) : handler;
        var endpoint = routes.MapMethods(pattern, [method], (Delegate)((HttpContext context) => Handle(context, operation, handler)))
            .WithName(operation.Id).WithTags(operation.Tag).WithSummary(operation.Summary).WithMetadata(operation);
        if (operation.Description is not null)
        {
            endpoint.WithDescription(operation.Description);
        }
        return operation.Role is null ? endpoint.AllowAnonymous() : endpoint.RequireAuthorization();
    }

    private static async Task<IResult> Handle(HttpContext context, Operation operation, Func<OperationRequest, Task<IResult>> handler)
    {
        context.Response.Headers.CacheControl = "no-store";
        Caller? caller = null;
        if (operation.Role is { } needed)
        {
            caller = context.Features.Get<Caller>();
            if (caller is null)
            {
                return new Problem(ProblemType.Unauthenticated);
            }
            if (Refusal(caller, operation, needed) is { } refusal)
            {
                return new Problem(ProblemType.Forbidden, refusal);
            }
        }

        var violations = new Violations();
        var query = RequestReader.ReadQuery(context.Request, operation, violations);
        if (ReadHeaders(context.Request, operation, violations, out var versions, out var key) is { } refused)
        {
            return refused;
        }

        var body = new ShapeValues();
        byte[] fingerprint = [];
        if (operation.Body is not null)
        {
            var limit = operation.MaxBodyBytes ?? context.RequestServices.GetRequiredService<ApiOptions>().MaxBodyBytes;
            var (bytes, tooLarge) = await RequestReader.ReadBytes(context.Request, limit, context.RequestAborted);
            if (tooLarge is not null)
            {
                return tooLarge;
            }
            var (values, malformed) = RequestReader.ReadBody(context.Request, bytes!, operation, violations);
            if (malformed is not null)
            {
                return malformed;
            }
            body = values ?? body;
            fingerprint = key is null ? [] : RequestReader.Fingerprint(context.Request, bytes!);
        }
        if (violations.Any)
        {
            return violations.ToProblem();
        }

        if (operation.AnswersEvents && HeadRequests.IsHead(context))
        {
            context.Response.ContentType = "text/event-stream";
            return Results.StatusCode(StatusCodes.Status200OK);
        }

        // What goes on for as long as its other end likes takes its turns by itself.
        var takesTurn = caller is not null && operation is { AnswersEvents: false, TakesContent: false, AnswersContent: false, RateLimit: not RateLimits.Own };
        using var turn = takesTurn ? await context.RequestServices.GetRequiredService<RequestTurns>().Take(caller!, operation, context.RequestAborted) : null;
        try
        {
            return await handler(new OperationRequest
            {
                Http = context,
                KnownCaller = caller,
                Query = query,
                Body = body,
                Fingerprint = fingerprint,
                ExpectedVersions = versions,
                IdempotencyKey = key,
            });
        }
        finally
        {
            if (operation.ChangesAccess)
            {
                context.RequestServices.GetRequiredService<SessionDirectory>().Forget();
            }
        }
    }

    private static string? Refusal(Caller caller, Operation operation, Role needed) =>
        operation.NeedsSuperAdmin && !caller.IsSuperAdmin ? "Only a super admin of this installation may do this."
        : caller.Role < needed ? $"This needs the role {needed.Name()}; yours is {caller.Role.Name()}."
        : operation.NeedsMember && caller.EnteredReason is not null ? "Only a member of the organization may do this; you have entered it as a super admin."
        : caller.Scopes is not { } scopes ? null
        : operation.Scope is not { } scope ? "A person must do this; an API key can't."
        : ApiKeyScopes.Allow(scopes, scope) ? null
        : $"The API key needs the scope {scope}.";

    private static Problem? ReadHeaders(HttpRequest request, Operation operation, Violations violations, out ImmutableArray<long> versions, out string? key)
    {
        versions = [];
        key = null;
        var ifMatch = request.Headers.IfMatch;
        if (operation.IfMatch == IfMatch.Required && ifMatch.Count == 0)
        {
            return new Problem(ProblemType.PreconditionRequired);
        }
        if (operation.IfMatch != IfMatch.None && ifMatch.Count > 0 && !EntityTag.TryRead(ifMatch, out versions))
        {
            violations.Add("If-Match", $"must be an entity tag as read before, such as \"7\", a list of up to {EntityTag.Most} of them, or *.");
        }
        if (operation.TakesIdempotencyKey && request.Headers.TryGetValue("Idempotency-Key", out var given))
        {
            key = given.ToString();
            if (key.Length is 0 or > RequestReader.MaxKeyLength || key.Any(character => character is < ' ' or > '~'))
            {
                violations.Add("Idempotency-Key", $"must be 1 to {RequestReader.MaxKeyLength} printable ASCII characters.");
            }
        }
        return null;
    }
}
