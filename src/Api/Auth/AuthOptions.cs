using System.Security.Cryptography;
using System.Text;
using AgentPlatform.Data;

namespace AgentPlatform.Api.Auth;

/// <summary>How sign-in works. Settings are named on each property.</summary>
public sealed record AuthOptions
{
    /// <summary>
    /// Keys that sign tokens, the current one first (setting <c>JWT_SIGNING_KEYS</c>: <c>id:base64,id:base64</c>, at least 32 bytes each; or
    /// <c>JWT_SIGNING_KEY</c>: one text of at least 32 characters). To rotate, put a new key first and drop the old one after a refresh token's lifetime.
    /// </summary>
    public required IReadOnlyList<SigningKey> Keys { get; init; }

    /// <summary>Value of <c>iss</c> (setting <c>JWT_ISSUER</c>).</summary>
    public string Issuer { get; init; } = "agentplatform";

    /// <summary>Value of <c>aud</c> (setting <c>JWT_AUDIENCE</c>).</summary>
    public string Audience { get; init; } = "agentplatform-api";

    /// <summary>How long an access token lasts (setting <c>ACCESS_TOKEN_SECONDS</c>, default 900).</summary>
    public TimeSpan AccessTokenLifetime { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a session lasts without being refreshed (setting <c>REFRESH_TOKEN_DAYS</c>, default 30).</summary>
    public TimeSpan RefreshTokenLifetime { get; init; } = TimeSpan.FromDays(30);

    /// <summary>
    /// How long after a refresh the token before it still gives the same answer, so that two tabs that refresh together, or a client whose connection broke
    /// before the answer arrived, stay signed in. After that, an old token ends the session.
    /// </summary>
    public static readonly TimeSpan RefreshGrace = TimeSpan.FromSeconds(10);

    /// <summary>How far the clocks of two processes may differ.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    /// <summary>Failed sign-ins for one e-mail address from one IP address within <see cref="FailureWindow"/> before both have to wait it out.</summary>
    public const int MaxFailuresPerEmailAndAddress = 10;

    /// <summary>Failed sign-ins for one e-mail address from anywhere within <see cref="FailureWindow"/>; doesn't hold where the person has signed in before.</summary>
    public const int MaxFailuresPerEmail = 100;

    /// <summary>Failed sign-ins from one IP address within <see cref="FailureWindow"/>.</summary>
    public const int MaxFailuresPerAddress = 200;

    /// <summary>How long failures count.</summary>
    public static readonly TimeSpan FailureWindow = TimeSpan.FromMinutes(15);

    /// <summary>Longest password, so that hashing has a bound.</summary>
    public const int MaxPasswordLength = 200;

    /// <summary>Reads the settings.</summary>
    /// <exception cref="SettingException">No key, or one that is too short.</exception>
    public static AuthOptions From(IConfiguration configuration)
    {
        var defaults = new AuthOptions { Keys = [] };
        return new()
        {
            Keys = ReadKeys(configuration["JWT_SIGNING_KEYS"], configuration["JWT_SIGNING_KEY"]),
            Issuer = configuration["JWT_ISSUER"] ?? defaults.Issuer,
            Audience = configuration["JWT_AUDIENCE"] ?? defaults.Audience,
            AccessTokenLifetime = TimeSpan.FromSeconds(configuration.Setting("ACCESS_TOKEN_SECONDS", defaults.AccessTokenLifetime.TotalSeconds)),
            RefreshTokenLifetime = TimeSpan.FromDays(configuration.Setting("REFRESH_TOKEN_DAYS", defaults.RefreshTokenLifetime.TotalDays)),
        };
    }

    private static List<SigningKey> ReadKeys(string? several, string? one)
    {
        if (!string.IsNullOrWhiteSpace(several))
        {
            return [.. several.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(ReadKey)];
        }
        if (string.IsNullOrEmpty(one))
        {
            throw new SettingException("JWT_SIGNING_KEY is not set. Set it to at least 32 random characters (openssl rand -base64 32), or start with ./run, which makes one.");
        }
        var key = Encoding.UTF8.GetBytes(one);
        return key.Length >= SigningKey.MinBytes
            ? [new SigningKey(Convert.ToHexStringLower(SHA256.HashData(key).AsSpan(0, 4)), key)]
            : throw new SettingException($"JWT_SIGNING_KEY has {key.Length} bytes; it needs at least {SigningKey.MinBytes}.");
    }

    private static SigningKey ReadKey(string entry)
    {
        var colon = entry.IndexOf(':', StringComparison.Ordinal);
        var key = new byte[256];
        return colon is > 0 and <= 64 && Convert.TryFromBase64String(entry[(colon + 1)..], key, out var length) && length >= SigningKey.MinBytes
            ? new SigningKey(entry[..colon], key[..length])
            : throw new SettingException($"JWT_SIGNING_KEYS must be id:base64,id:base64 with at least {SigningKey.MinBytes} bytes each.");
    }
}

/// <summary>A key with the id that tokens name it by.</summary>
public sealed record SigningKey(string Id, byte[] Key)
{
    /// <summary>HS256 needs a key as long as its hash.</summary>
    public const int MinBytes = 32;

    /// <summary>Another key for another purpose, so that a token of one kind never passes as another.</summary>
    public byte[] For(string purpose) => HKDF.DeriveKey(HashAlgorithmName.SHA256, Key, 32, info: Encoding.UTF8.GetBytes(purpose));

    /// <summary>Never the key.</summary>
    public override string ToString() => $"SigningKey {Id}";
}
