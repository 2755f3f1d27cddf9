namespace AgentPlatform.Api.Http;

/// <summary>
/// Answers <c>HEAD</c> wherever <c>GET</c> is answered, with the same headers (RFC 9110, 9.3.2). The request goes on as a <c>GET</c>; the server, which remembers what it read, sends no body.
/// </summary>
internal sealed class HeadRequests(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (HttpMethods.IsHead(context.Request.Method))
        {
            context.Request.Method = HttpMethods.Get;
            context.Features.Set(new Asked());
        }
        return next(context);
    }

    /// <summary>Whether only the headers were asked for: what is long or never ends can be left out.</summary>
    public static bool IsHead(HttpContext context) => context.Features.Get<Asked>() is not null;

    private sealed class Asked;
}
