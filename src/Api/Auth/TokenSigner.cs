using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace AgentPlatform.Api.Auth;

/// <summary>
/// JSON Web Tokens signed with HMAC-SHA-256, and only that: a token that names another algorithm is refused before anything else is looked at.
/// </summary>
public sealed class TokenSigner(AuthOptions options, TimeProvider clock)
{
    /// <summary>Longest token looked at, in characters.</summary>
    public const int MaxTokenLength = 4096;

    private static readonly byte[] Algorithm = "HS256"u8.ToArray();

    /// <summary>
    /// Signs claims for an audience; <c>iss</c>, <c>aud</c>, <c>iat</c>, <c>nbf</c> and <c>exp</c> are added.
    /// </summary>
    public string Sign(string audience, TimeSpan lifetime, IEnumerable<KeyValuePair<string, string>> claims)
    {
        var key = options.Keys[0];
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var header = Encode(json =>
        {
            json.WriteString("alg", Algorithm);
            json.WriteString("typ", "JWT");
            json.WriteString("kid", key.Id);
        });
        var payload = Encode(json =>
        {
            json.WriteString("iss", options.Issuer);
            json.WriteString("aud", audience);
            json.WriteNumber("iat", now);
            json.WriteNumber("nbf", now);
            json.WriteNumber("exp", now + (long)lifetime.TotalSeconds);
            foreach (var (name, value) in claims)
            {
                json.WriteString(name, value);
            }
        });
        var signed = $"{header}.{payload}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(key.Key, Encoding.ASCII.GetBytes(signed)))}";
    }

    /// <summary>The text claims of a token that is genuine, for this audience, and in its time; null for any other.</summary>
    public IReadOnlyDictionary<string, string>? Verify(string token, string audience)
    {
        if (token.Length > MaxTokenLength || token.Split('.') is not [var header, var payload, var signature])
        {
            return null;
        }
        if (TokenText.Decode(header) is not { } headerBytes || TokenText.Decode(payload) is not { } payloadBytes || TokenText.Decode(signature) is not { } mac)
        {
            return null;
        }
        if (KeyOf(headerBytes) is not { } key
            || !CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(key.Key, Encoding.ASCII.GetBytes($"{header}.{payload}")), mac))
        {
            return null;
        }
        return ReadClaims(payloadBytes, audience);
    }

    private SigningKey? KeyOf(byte[] header)
    {
        try
        {
            using var json = JsonDocument.Parse(header);
            return json.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("alg", out var alg) && alg.ValueKind == JsonValueKind.String && alg.ValueEquals(Algorithm)
                && !root.TryGetProperty("crit", out _)
                && root.TryGetProperty("kid", out var kid) && kid.ValueKind == JsonValueKind.String
                    ? options.Keys.FirstOrDefault(key => kid.ValueEquals(key.Id))
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Only reached with a genuine signature: what is read here was written by <see cref="Sign"/>.</summary>
    private Dictionary<string, string>? ReadClaims(byte[] payload, string audience)
    {
        using var json = JsonDocument.Parse(payload);
        var root = json.RootElement;
        var now = clock.GetUtcNow();
        var inTime = root.TryGetProperty("exp", out var exp) && exp.TryGetInt64(out var end) && now < DateTimeOffset.FromUnixTimeSeconds(end) + AuthOptions.ClockSkew
            && root.TryGetProperty("nbf", out var nbf) && nbf.TryGetInt64(out var start) && now >= DateTimeOffset.FromUnixTimeSeconds(start) - AuthOptions.ClockSkew;
        var claims = root.EnumerateObject().Where(claim => claim.Value.ValueKind == JsonValueKind.String)
            .ToDictionary(claim => claim.Name, claim => claim.Value.GetString()!, StringComparer.Ordinal);
        return inTime && claims.GetValueOrDefault("iss") == options.Issuer && claims.GetValueOrDefault("aud") == audience ? claims : null;
    }

    private static string Encode(Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }
        return Base64Url.EncodeToString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

}
