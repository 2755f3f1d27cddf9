using System.Globalization;
using System.Net;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.WebChat.Pages;

/// <summary>The chat page, the embed script, the start page, the pages behind links to accounts, and what they are made of.</summary>
internal static class WebPages
{
    private const string Html = "text/html; charset=utf-8";
    private const string ForEver = "public, max-age=31536000, immutable";

    // No inline script or style, nothing from elsewhere but pictures and sound that a message links to, and no markup from text.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; media-src 'self' https:; connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    /// <summary>The one field of a page about an account.</summary>
    private static readonly (string Place, string Value)[] NewPassword =
        [("label", "Password"), ("type", "password"), ("autocomplete", "new-password"), ("maxLength", AuthOptions.MaxPasswordLength.ToString(CultureInfo.InvariantCulture))];

    private static readonly (string Place, string Value)[] Address =
        [("label", "E-mail address"), ("type", "email"), ("autocomplete", "email"), ("maxLength", EmailAddress.MaxLength.ToString(CultureInfo.InvariantCulture))];

    public static void MapWebPages(this IEndpointRouteBuilder routes)
    {
        string[] read = ["GET", "HEAD"];
        routes.MapMethods("/", read, Start).AllowAnonymous().ExcludeFromDescription();
        routes.MapMethods("/chat/{channelId}", read, Chat).AllowAnonymous().ExcludeFromDescription();
        routes.MapMethods("/accept-invitation", read, (HttpContext context, WebFiles files) => Account(context, files, "accept-invitation", "Accept the invitation", NewPassword)).AllowAnonymous().ExcludeFromDescription();
        routes.MapMethods("/reset-password", read, (HttpContext context, WebFiles files) => Account(context, files, "reset-password", "Set a new password", NewPassword)).AllowAnonymous().ExcludeFromDescription();
        routes.MapMethods("/forgot-password", read, (HttpContext context, WebFiles files) => Account(context, files, "forgot-password", "Ask for a new password", Address)).AllowAnonymous().ExcludeFromDescription();
        routes.MapMethods("/widget.js", read, (HttpContext context, WebFiles files) => Send(context, files.Find("widget.js"), "public, max-age=600")).AllowAnonymous().ExcludeFromDescription();
        routes.MapMethods("/favicon.ico", read, (HttpContext context, WebFiles files) => Send(context, files.Find("icon.svg"), "public, max-age=86400")).AllowAnonymous().ExcludeFromDescription();
        routes.MapMethods("/assets/{version}/{name}", read, (string version, string name, HttpContext context, WebFiles files) =>
            Send(context, files.Find(name), version == files.Version ? ForEver : "no-cache")).AllowAnonymous().ExcludeFromDescription();
    }

    private static async Task<IResult> Start(HttpContext context, WebFiles files, WebChatOptions options, WidgetDirectory widgets)
    {
        var widget = await widgets.Find(options.StartPageChannelId, context.RequestAborted);
        var link = widget is null ? "" : $"""<li><a href="/chat/{widget.ChannelId}"><strong>Chat with the demo agent</strong><span>{WebUtility.HtmlEncode(widget.Name)}: ask about its tours, in any of seven languages</span></a></li>""";
        Protect(context.Response, "'none'");
        return Results.Content(files.Fill("start.html", [], ("demo", link)), Html);
    }

    /// <summary>What links to an account lead to, for installations whose console isn't elsewhere.</summary>
    private static IResult Account(HttpContext context, WebFiles files, string page, string title, (string Place, string Value)[] field)
    {
        Protect(context.Response, "'none'");
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
        return Results.Content(files.Fill("account.html", [("page", page), ("title", title), .. field]), Html);
    }

    private static async Task<IResult> Chat(string channelId, HttpContext context, WebFiles files, WidgetDirectory widgets)
    {
        var widget = Guid.TryParseExact(channelId, "D", out var id) ? await widgets.Find(id, context.RequestAborted) : null;
        Protect(context.Response, widget?.Origins.FrameAncestors ?? "'none'");
        if (widget is null)
        {
            return Results.Content(files.Fill("missing.html", []), Html, statusCode: StatusCodes.Status404NotFound);
        }
        return Results.Content(
            files.Fill("chat.html",
            [
                ("channelId", widget.ChannelId.ToString("D")),
                ("name", widget.Name),
                ("color", widget.Color),
                ("welcome", widget.WelcomeMessage ?? ""),
                ("maxLength", WebChatOptions.MaxTextLength.ToString(CultureInfo.InvariantCulture)),
            ]),
            Html);
    }

    private static IResult Send(HttpContext context, WebFile? file, string cacheControl)
    {
        if (file is null || file.ContentType == Html)
        {
            return Problem.NotFound();
        }
        var headers = context.Response.Headers;
        headers.CacheControl = cacheControl;
        headers.XContentTypeOptions = "nosniff";
        headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        headers.Vary = "Accept-Encoding";
        var takesBrotli = file.Compressed is not null && context.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.OrdinalIgnoreCase);
        if (takesBrotli)
        {
            headers.ContentEncoding = "br";
        }
        return Results.Bytes(takesBrotli ? file.Compressed! : file.Content, file.ContentType, entityTag: file.Tag);
    }

    private static void Protect(HttpResponse response, string frameAncestors)
    {
        var headers = response.Headers;
        headers.CacheControl = "no-cache";
        headers.ContentSecurityPolicy = $"{Policy}; frame-ancestors {frameAncestors}";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "strict-origin-when-cross-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()";
        headers["Cross-Origin-Resource-Policy"] = "cross-origin";
    }
}
