using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace AgentPlatform.Api.Auth;

/// <summary>How an API key is written: <c>ap_</c> and 32 random bytes. Its beginning is shown in lists; of the whole only a hash is kept.</summary>
internal static class ApiKeyText
{
    /// <summary>How much of a key is shown.</summary>
    public const int ShownLength = 11;

    private const string Prefix = "ap_";
    private const int SecretBytes = 32;

    /// <summary>A new key.</summary>
    public static string New() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>Whether a bearer token claims to be an API key; access tokens never begin like one.</summary>
    public static bool IsKey(string token) => token.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>The part that people know it by.</summary>
    public static string Shown(string key) => key[..ShownLength];

    /// <summary>What the database keeps. A key is random enough that a plain hash can't be turned back.</summary>
    public static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
