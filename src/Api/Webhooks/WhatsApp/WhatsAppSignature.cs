using System.Buffers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using AgentPlatform.Data.Channels;

namespace AgentPlatform.Api.Webhooks.WhatsApp;

/// <summary>Meta's signature: <c>X-Hub-Signature-256: sha256=</c> and the HMAC-SHA256 of the raw body under the app's secret, in hexadecimal.</summary>
internal static class WhatsAppSignature
{
    public const string Header = "X-Hub-Signature-256";

    private const string Prefix = "sha256=";

    private static readonly ConditionalWeakTable<ChannelSettings, byte[]> Keys = [];

    /// <summary>The channel's secret as a key; null when the channel has none.</summary>
    public static byte[]? KeyOf(ChannelSettings channel) =>
        Keys.TryGetValue(channel, out var key) ? key
        : channel.Credentials.GetValueOrDefault(CredentialNames.AppSecret) is { Length: > 0 } secret ? Keys.GetValue(channel, _ => Encoding.UTF8.GetBytes(secret))
        : null;

    /// <summary>Whether the header is the signature of the body. Takes the same time for every signature of the right form.</summary>
    public static bool Verify(ReadOnlySpan<byte> body, string? header, byte[] key)
    {
        if (header is null || header.Length != Prefix.Length + (HMACSHA256.HashSizeInBytes * 2) || !header.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        Span<byte> claimed = stackalloc byte[HMACSHA256.HashSizeInBytes];
        if (Convert.FromHexString(header.AsSpan(Prefix.Length), claimed, out _, out _) != OperationStatus.Done)
        {
            return false;
        }

        Span<byte> computed = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, body, computed);
        return CryptographicOperations.FixedTimeEquals(claimed, computed);
    }

    /// <summary>The header's value for a body.</summary>
    public static string Sign(ReadOnlySpan<byte> body, ReadOnlySpan<byte> key) => Prefix + Convert.ToHexStringLower(HMACSHA256.HashData(key, body));
}
