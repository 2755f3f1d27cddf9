using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Http;

/// <summary>
/// Lets pages of other sites call <c>/v1</c> where <see cref="AllowedOrigins"/> says so (Fetch standard, 3.2: CORS). Nobody is known by a cookie here, so a page can do no more than the key
/// or the sign-in that it was given. The widget's routes have rules of their own.
/// </summary>
internal sealed class CrossOriginRequests(RequestDelegate next, AllowedOrigins allowed)
{
    private const string Methods = "GET, HEAD, POST, PUT, PATCH, DELETE";
    private const string RequestHeaders = "Authorization, Content-Type, Content-Encoding, If-Match, If-None-Match, Idempotency-Key, Last-Event-ID";
    private const string AnswerHeaders = "ETag, Location, Retry-After, Content-Disposition";
    private const string PreflightSeconds = "600";

    public async Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        var origin = request.Headers.Origin.ToString();
        if (!request.Path.StartsWithSegments("/v1") || request.Path.StartsWithSegments("/v1/web"))
        {
            await next(context);
            return;
        }
        context.Response.Headers.Append("Vary", "Origin");
        if (origin.Length == 0 || origin == WebOrigin.Spelling($"{request.Scheme}://{request.Host}"))
        {
            await next(context);
            return;
        }
        var organizations = await allowed.Find(origin, context.RequestAborted);
        var isAllowed = organizations.Count > 0 || allowed.IsConsole(origin);
        if (HttpMethods.IsOptions(request.Method) && request.Headers.AccessControlRequestMethod.Count > 0)
        {
            await (isAllowed ? Preflight(origin) : new Problem(ProblemType.Forbidden, "No organization allows pages of this origin (allowedOrigins).")).ExecuteAsync(context);
            return;
        }
        if (isAllowed)
        {
            // At the very end: by then it is known whose request it is, and a problem's answer, which begins by clearing the headers, can be read by the page as well.
            context.Response.OnStarting(() =>
            {
                if (context.Features.Get<Caller>() is not { } caller || organizations.Contains(caller.OrganizationId) || allowed.IsConsole(origin))
                {
                    context.Response.Headers.AccessControlAllowOrigin = origin;
                    context.Response.Headers.AccessControlExposeHeaders = AnswerHeaders;
                }
                return Task.CompletedTask;
            });
        }
        await next(context);
    }

    private static IResult Preflight(string origin) => new Answer(origin);

    private sealed class Answer(string origin) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var headers = httpContext.Response.Headers;
            headers.AccessControlAllowOrigin = origin;
            headers.AccessControlAllowMethods = Methods;
            // Whatever the page's libraries add (tracing, caching): a header lets nobody do more.
            headers.AccessControlAllowHeaders = httpContext.Request.Headers.AccessControlRequestHeaders is { Count: > 0 } asked ? asked : RequestHeaders;
            headers.Append("Vary", "Access-Control-Request-Headers");
            headers.AccessControlMaxAge = PreflightSeconds;
            httpContext.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        }
    }
}
