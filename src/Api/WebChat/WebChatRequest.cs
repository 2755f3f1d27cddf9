using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;

namespace AgentPlatform.Api.WebChat;

/// <summary>What comes before every handler of the web channel: the channel, the site that asks, the visitor.</summary>
internal static class WebChatRequest
{
    /// <summary>Finds the channel and checks the site.</summary>
    public static async Task<IResult> Enter(OperationRequest request, Func<OperationRequest, Widget, Task<IResult>> handler)
    {
        if (request.PathId("channelId") is not { } channelId || await request.Service<WidgetDirectory>().Find(channelId, request.Cancelled) is not { } widget)
        {
            return Problem.NotFound();
        }
        return Admit(request.Http, widget) ? await handler(request, widget) : new Problem(WebChatProblems.OriginNotAllowed);
    }

    /// <summary>The same, and reads the visitor's token.</summary>
    public static Task<IResult> EnterVisitor(OperationRequest request, Func<OperationRequest, Widget, VisitorSession, Task<IResult>> handler) => Enter(request, async (entered, widget) =>
    {
        var header = entered.Http.Request.Headers.Authorization.ToString();
        var token = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : null;
        return entered.Service<VisitorTokens>().Read(token, widget.ChannelId) is { } session
            ? await handler(entered, widget, session)
            : new Problem(WebChatProblems.VisitorUnknown);
    });

    /// <summary>Answers a browser's question before a cross-site request.</summary>
    public static async Task<IResult> Preflight(HttpContext context)
    {
        var widget = Guid.TryParseExact(context.GetRouteValue("channelId") as string, "D", out var channelId)
            ? await context.RequestServices.GetRequiredService<WidgetDirectory>().Find(channelId, context.RequestAborted)
            : null;
        if (widget is null)
        {
            return Problem.NotFound();
        }
        if (!Admit(context, widget))
        {
            return new Problem(WebChatProblems.OriginNotAllowed);
        }
        var headers = context.Response.Headers;
        headers.AccessControlAllowMethods = "GET, POST";
        headers.AccessControlAllowHeaders = "Authorization, Content-Type, Last-Event-ID";
        headers.AccessControlMaxAge = "3600";
        return Results.NoContent();
    }

    /// <summary>For limits by address.</summary>
    public static string Address(HttpContext context)
    {
        var address = context.Connection.RemoteIpAddress;
        if (address is null)
        {
            return "unknown";
        }
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }
        // A household or a server has a whole /64 of IPv6.
        return address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
            ? Convert.ToHexStringLower(address.GetAddressBytes().AsSpan(0, 8))
            : address.ToString();
    }

    private static bool Admit(HttpContext context, Widget widget)
    {
        context.Response.Headers.Append("Vary", "Origin");
        var origin = context.Request.Headers.Origin.ToString();
        if (origin.Length == 0)
        {
            return true;
        }
        var options = context.RequestServices.GetRequiredService<WebChatOptions>();
        if (!widget.Origins.Allows(origin, context.Request.Host.Value, options.PublicBaseUrl?.Authority))
        {
            return false;
        }
        // At the very end, so that a problem's answer, which begins by clearing the headers, can be read by the page as well.
        context.Response.OnStarting(() =>
        {
            context.Response.Headers.AccessControlAllowOrigin = widget.Origins.AllowsEverySite ? "*" : origin;
            context.Response.Headers.AccessControlExposeHeaders = "Retry-After";
            return Task.CompletedTask;
        });
        return true;
    }
}
