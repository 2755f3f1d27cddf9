using AgentPlatform.Data;

namespace AgentPlatform.Api.Emails;

/// <summary>Where the access tokens for the mail server come from (RFC 6749): by a refresh token where there is one, else by the client's own credentials.</summary>
public sealed record MailOAuthOptions
{
    /// <summary>The token endpoint (setting <c>SMTP_OAUTH_TOKEN_URL</c>): https, or http on this machine.</summary>
    public required Uri TokenUrl { get; init; }

    /// <summary>The application's id (setting <c>SMTP_OAUTH_CLIENT_ID</c>).</summary>
    public required string ClientId { get; init; }

    /// <summary>Its secret (setting <c>SMTP_OAUTH_CLIENT_SECRET</c>); null for a public client with a refresh token.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>What the token is for (setting <c>SMTP_OAUTH_SCOPE</c>); null where the endpoint knows by itself.</summary>
    public string? Scope { get; init; }

    /// <summary>A refresh token (setting <c>SMTP_OAUTH_REFRESH_TOKEN</c>); null for the client's own credentials.</summary>
    public string? RefreshToken { get; init; }

    /// <summary>Never a secret.</summary>
    public override string ToString() => $"OAuth {TokenUrl} {ClientId}";

    /// <summary>Reads the settings; null without <c>SMTP_OAUTH_TOKEN_URL</c>.</summary>
    /// <exception cref="SettingException">The settings can't work.</exception>
    public static MailOAuthOptions? Read(IConfiguration configuration)
    {
        if (Given("SMTP_OAUTH_TOKEN_URL") is not { } tokenUrl)
        {
            return null;
        }
        if (!Uri.TryCreate(tokenUrl, UriKind.Absolute, out var url) || !(url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback)))
        {
            throw new SettingException("SMTP_OAUTH_TOKEN_URL must be an https URL.");
        }
        var options = new MailOAuthOptions
        {
            TokenUrl = url,
            ClientId = Given("SMTP_OAUTH_CLIENT_ID") ?? throw new SettingException("SMTP_OAUTH_TOKEN_URL needs SMTP_OAUTH_CLIENT_ID."),
            ClientSecret = Given("SMTP_OAUTH_CLIENT_SECRET"),
            Scope = Given("SMTP_OAUTH_SCOPE"),
            RefreshToken = Given("SMTP_OAUTH_REFRESH_TOKEN"),
        };
        return options.ClientSecret is null && options.RefreshToken is null
            ? throw new SettingException("SMTP_OAUTH_TOKEN_URL needs SMTP_OAUTH_CLIENT_SECRET or SMTP_OAUTH_REFRESH_TOKEN.")
            : options;

        string? Given(string name) => configuration[name] is { Length: > 0 } value ? value : null;
    }
}
