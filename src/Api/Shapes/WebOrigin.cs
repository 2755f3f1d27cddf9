namespace AgentPlatform.Api.Shapes;

/// <summary>Origins of web pages (RFC 6454): scheme and host, and the port where it isn't the scheme's own.</summary>
internal static class WebOrigin
{
    /// <summary>What browsers send for a URL's page: lower case, international names in their ASCII form.</summary>
    public static string Of(Uri url) => $"{url.Scheme}://{(url.HostNameType == UriHostNameType.IPv6 ? url.Host : url.IdnHost)}{(url.IsDefaultPort ? "" : $":{url.Port}")}";

    /// <summary>The same of what people type, with or without a slash at its end; unchanged when it is no origin, and then refused.</summary>
    public static string Spelling(string text) =>
        Uri.TryCreate(text.Trim(), UriKind.Absolute, out var url) && url is { Scheme: "http" or "https", PathAndQuery: "/", Fragment: "", UserInfo: "" } && url.IdnHost.Length > 0 ? Of(url) : text;
}
