using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AgentPlatform.Api.Emails;

/// <summary>Access tokens for the mail server: one is used until shortly before it ends.</summary>
internal sealed class MailTokens(MailOAuthOptions options, HttpClient http, TimeProvider clock) : IDisposable
{
    /// <summary>How long before its end a token is no longer used.</summary>
    public static readonly TimeSpan Margin = TimeSpan.FromMinutes(2);

    /// <summary>How long a token lasts whose endpoint doesn't say.</summary>
    public static readonly TimeSpan UnsaidLifetime = TimeSpan.FromMinutes(10);

    /// <summary>Most bytes of an answer that are read.</summary>
    public const int MaxAnswerBytes = 64 * 1024;

    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private (string Text, DateTimeOffset Until)? _token;
    // Some endpoints give another refresh token each time. The one in the settings goes on to work where that is kept within its rules, and begins after a restart.
    private string? _refreshToken = options.RefreshToken;

    /// <summary>A token, and whether it was there already.</summary>
    /// <exception cref="MailFailedException">The endpoint gave none.</exception>
    public async Task<(string Text, bool WasKept)> Get(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            if (_token is { } kept && kept.Until > clock.GetUtcNow())
            {
                return (kept.Text, true);
            }
            _token = await Fetch(cancellationToken);
            return (_token.Value.Text, false);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>The mail server didn't take it: the next one is fetched again.</summary>
    public void Forget(string token)
    {
        if (_token?.Text == token)
        {
            _token = null;
        }
    }

    public void Dispose() => _oneAtATime.Dispose();

    private async Task<(string, DateTimeOffset)> Fetch(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, options.TokenUrl) { Content = new FormUrlEncodedContent(Form()) };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        try
        {
            using var response = await http.SendAsync(request, cancellationToken);
            var answer = Members(await response.Content.ReadAsByteArrayAsync(cancellationToken));
            if (!response.IsSuccessStatusCode || Text(answer, "access_token") is not { } token)
            {
                throw Refused($"{(int)response.StatusCode} {Text(answer, "error")} {Text(answer, "error_description")}");
            }
            _refreshToken = _refreshToken is null ? null : Text(answer, "refresh_token") ?? _refreshToken;
            return (token, clock.GetUtcNow() + Lifetime(answer));
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException { InnerException: TimeoutException })
        {
            throw Refused(failure.Message, failure);
        }
    }

    private Dictionary<string, string> Form()
    {
        var form = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["grant_type"] = _refreshToken is null ? "client_credentials" : "refresh_token",
            ["client_id"] = options.ClientId,
        };
        foreach (var (name, value) in new[] { ("client_secret", options.ClientSecret), ("scope", options.Scope), ("refresh_token", _refreshToken) })
        {
            if (value is not null)
            {
                form[name] = value;
            }
        }
        return form;
    }

    private MailFailedException Refused(string answer, Exception? cause = null) => new($"SMTP_OAUTH_TOKEN_URL gave no access token: {answer.Trim()}", MailFailureKind.NoConnection, cause);

    /// <summary>Of its time all but the margin; of a short one at least half.</summary>
    private static TimeSpan Lifetime(JsonObject answer)
    {
        // Some endpoints write the number as text.
        var seconds = double.TryParse(answer["expires_in"]?.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var said) && said is > 0 and < int.MaxValue
            ? said
            : UnsaidLifetime.TotalSeconds;
        return TimeSpan.FromSeconds(Math.Max(seconds - Margin.TotalSeconds, seconds / 2));
    }

    private static string? Text(JsonObject answer, string name) => answer[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>None where the answer is no object: a proxy's page, for one.</summary>
    private static JsonObject Members(byte[] answer)
    {
        try
        {
            return JsonNode.Parse(answer) as JsonObject ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
