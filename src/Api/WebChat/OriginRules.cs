using System.Collections.Immutable;
using System.Globalization;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.WebChat;

/// <summary>
/// Which sites may show a channel's chat: the entries of <c>allowed_domains</c>. <c>example.com</c> is that host at any port, <c>*.example.com</c> any
/// host below it, <c>example.com:8443</c> that port only; a scheme and a path in an entry are ignored. No entries allow every site. It is a rule that
/// browsers keep; a program that isn't a browser can name any origin.
/// </summary>
public sealed class OriginRules
{
    private readonly ImmutableArray<Entry> _entries;

    /// <summary>Reads the entries; one that can't be a host allows nothing.</summary>
    public OriginRules(IEnumerable<string> allowedDomains)
    {
        var given = allowedDomains.Where(entry => !string.IsNullOrWhiteSpace(entry)).ToList();
        AllowsEverySite = given.Count == 0 || given.Contains("*");
        _entries = [.. given.Select(Read).OfType<Entry>()];
    }

    /// <summary>No entry narrows it.</summary>
    public bool AllowsEverySite { get; }

    /// <summary>Whether a request's <c>Origin</c> may use the channel. A request without one isn't a browser's cross-site request, and may.</summary>
    /// <param name="origin">The header's value, or null.</param>
    /// <param name="ownHosts">Hosts, with port if any, under which browsers reach this installation itself.</param>
    public bool Allows(string? origin, params ReadOnlySpan<string?> ownHosts)
    {
        if (AllowsEverySite || string.IsNullOrEmpty(origin))
        {
            return true;
        }
        if (!Uri.TryCreate(origin, UriKind.Absolute, out var site) || site.Scheme is not ("http" or "https"))
        {
            return false;
        }
        foreach (var own in ownHosts)
        {
            if (string.Equals(own, site.Authority, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }
        return _entries.Any(entry => entry.Matches(site));
    }

    /// <summary>The value of CSP's <c>frame-ancestors</c>, which keeps the chat page out of other sites' frames.</summary>
    public string FrameAncestors => AllowsEverySite ? "*" : string.Join(' ', _entries.Select(entry => entry.ToCsp()).Prepend("'self'"));

    private static Entry? Read(string text)
    {
        var rest = TypedText.Identifier(text).ToLowerInvariant();
        if (rest.IndexOf("://", StringComparison.Ordinal) is >= 0 and var scheme)
        {
            rest = rest[(scheme + 3)..];
        }
        rest = rest.Split('/', 2)[0];
        var isBelow = rest.StartsWith("*.", StringComparison.Ordinal);
        var port = -1;
        if (rest.LastIndexOf(':') is >= 0 and var colon && !rest.EndsWith(']'))
        {
            if (!int.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535)
            {
                return null;
            }
            rest = rest[..colon];
        }
        // IdnHost: browsers name international domains in their ASCII form.
        return Uri.TryCreate($"http://{(isBelow ? rest[2..] : rest)}", UriKind.Absolute, out var host) && host is { PathAndQuery: "/", UserInfo: "", IsDefaultPort: true }
            ? new Entry(host.IdnHost, isBelow, port)
            : null;
    }

    private sealed record Entry(string Host, bool IsBelow, int Port)
    {
        public bool Matches(Uri site) =>
            (Port < 0 || Port == site.Port) && (IsBelow ? site.IdnHost.EndsWith("." + Host, StringComparison.OrdinalIgnoreCase) : string.Equals(site.IdnHost, Host, StringComparison.OrdinalIgnoreCase));

        public string ToCsp() => $"{(IsBelow ? "*." : "")}{Host}:{(Port < 0 ? "*" : Port.ToString(CultureInfo.InvariantCulture))}";
    }
}
