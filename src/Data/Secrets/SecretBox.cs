using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;

namespace AgentPlatform.Data.Secrets;

/// <summary>
/// Seals secrets for storage: AES-256-GCM under a key from configuration, bound to its organization and purpose, so that a value copied to another row
/// doesn't open there. Each sealed value names its key; rotation is: put a new key first, keep the old ones until everything is sealed again.
/// </summary>
/// <remarks>Sealed form: version (1 byte, 1), length of the key's id (1 byte), the id (UTF-8), nonce (12 bytes), tag (16 bytes), ciphertext.</remarks>
public sealed class SecretBox
{
    /// <summary>Name of the setting with the keys: <c>id:base64,id:base64</c>, the current one first, 32 bytes each.</summary>
    public const string KeysSetting = "SECRETS_KEYS";

    private const byte Version = 1;
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int MaximumKeyIdBytes = 64;

    private readonly Dictionary<string, byte[]> _keys;

    private SecretBox(string currentKeyId, Dictionary<string, byte[]> keys)
    {
        CurrentKeyId = currentKeyId;
        _keys = keys;
    }

    /// <summary>Id of the key that seals.</summary>
    public string CurrentKeyId { get; }

    /// <summary>Reads the keys from the setting <see cref="KeysSetting"/>.</summary>
    /// <exception cref="SettingException">The setting is missing or malformed; the message never holds a key.</exception>
    public static SecretBox From(IConfiguration configuration) => Parse(configuration[KeysSetting] ?? "");

    /// <summary>Reads keys in the form of <see cref="KeysSetting"/>.</summary>
    /// <exception cref="SettingException">No key, a malformed one, or an id that appears twice.</exception>
    public static SecretBox Parse(string setting)
    {
        var keys = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        string? current = null;
        foreach (var entry in setting.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var colon = entry.IndexOf(':', StringComparison.Ordinal);
            var id = colon > 0 ? entry[..colon] : throw Malformed("each key needs an id before a colon");
            if (Encoding.UTF8.GetByteCount(id) > MaximumKeyIdBytes)
            {
                throw Malformed($"an id may have at most {MaximumKeyIdBytes} bytes");
            }

            var key = new byte[KeyBytes];
            if (!Convert.TryFromBase64String(entry[(colon + 1)..], key, out var length) || length != KeyBytes)
            {
                throw Malformed($"the key {id} isn't {KeyBytes} bytes in base64");
            }

            if (!keys.TryAdd(id, key))
            {
                throw Malformed($"the id {id} appears twice");
            }

            current ??= id;
        }

        return new SecretBox(current ?? throw Malformed("it is empty"), keys);
    }

    /// <summary>Seals a secret for an organization (<see cref="Guid.Empty"/> for the platform's own) and a purpose such as <c>channel.credentials</c>.</summary>
    public byte[] Seal(Guid organizationId, string purpose, ReadOnlySpan<byte> secret)
    {
        var id = Encoding.UTF8.GetBytes(CurrentKeyId);
        var header = 2 + id.Length;
        var sealedValue = new byte[header + NonceBytes + TagBytes + secret.Length];
        sealedValue[0] = Version;
        sealedValue[1] = (byte)id.Length;
        id.CopyTo(sealedValue, 2);
        var nonce = sealedValue.AsSpan(header, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_keys[CurrentKeyId], TagBytes);
        aes.Encrypt(
            nonce,
            secret,
            sealedValue.AsSpan(header + NonceBytes + TagBytes),
            sealedValue.AsSpan(header + NonceBytes, TagBytes),
            AssociatedData(sealedValue.AsSpan(0, header), organizationId, purpose));
        return sealedValue;
    }

    /// <summary>Seals a text.</summary>
    public byte[] Seal(Guid organizationId, string purpose, string secret) => Seal(organizationId, purpose, Encoding.UTF8.GetBytes(secret));

    /// <summary>Opens what <see cref="Seal(Guid, string, ReadOnlySpan{byte})"/> made with the same organization and purpose.</summary>
    /// <exception cref="SecretUnreadableException">The value was altered, belongs to another organization or purpose, or its key is not configured.</exception>
    public byte[] Open(Guid organizationId, string purpose, ReadOnlySpan<byte> sealedValue)
    {
        var id = ReadKeyId(sealedValue);
        if (!_keys.TryGetValue(id, out var key))
        {
            throw new SecretUnreadableException($"it is sealed with the key {id}, which {KeysSetting} doesn't hold");
        }

        var header = 2 + sealedValue[1];
        var secret = new byte[sealedValue.Length - header - NonceBytes - TagBytes];
        using var aes = new AesGcm(key, TagBytes);
        try
        {
            aes.Decrypt(
                sealedValue.Slice(header, NonceBytes),
                sealedValue[(header + NonceBytes + TagBytes)..],
                sealedValue.Slice(header + NonceBytes, TagBytes),
                secret,
                AssociatedData(sealedValue[..header], organizationId, purpose));
            return secret;
        }
        catch (AuthenticationTagMismatchException failure)
        {
            throw new SecretUnreadableException($"it was altered, or belongs to another organization or purpose than {purpose}", failure);
        }
    }

    /// <summary>Opens a sealed text.</summary>
    /// <exception cref="SecretUnreadableException">As for <see cref="Open"/>.</exception>
    public string OpenText(Guid organizationId, string purpose, ReadOnlySpan<byte> sealedValue) =>
        Encoding.UTF8.GetString(Open(organizationId, purpose, sealedValue));

    /// <summary>Whether a value should be sealed again because its key is no longer the current one.</summary>
    public bool IsOutdated(ReadOnlySpan<byte> sealedValue) => ReadKeyId(sealedValue) != CurrentKeyId;

    /// <summary>A new entry for <see cref="KeysSetting"/>.</summary>
    public static string NewKey(string id) => $"{id}:{Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes))}";

    private static string ReadKeyId(ReadOnlySpan<byte> sealedValue)
    {
        if (sealedValue.Length < 2 || sealedValue[0] != Version || sealedValue.Length < 2 + sealedValue[1] + NonceBytes + TagBytes)
        {
            throw new SecretUnreadableException("it is not a sealed value");
        }

        return Encoding.UTF8.GetString(sealedValue.Slice(2, sealedValue[1]));
    }

    /// <summary>Header, organization and purpose: all that the tag vouches for besides the secret itself.</summary>
    private static byte[] AssociatedData(ReadOnlySpan<byte> header, Guid organizationId, string purpose)
    {
        var data = new byte[header.Length + 16 + sizeof(int) + Encoding.UTF8.GetByteCount(purpose)];
        header.CopyTo(data);
        organizationId.TryWriteBytes(data.AsSpan(header.Length), bigEndian: true, out _);
        var length = Encoding.UTF8.GetBytes(purpose, data.AsSpan(header.Length + 16 + sizeof(int)));
        BinaryPrimitives.WriteInt32BigEndian(data.AsSpan(header.Length + 16), length);
        return data;
    }

    private static SettingException Malformed(string reason) =>
        new($"{KeysSetting} can't be used: {reason}. It has the form id:base64 with 32 random bytes, more keys after a comma; ./run makes one, or use: printf 'k1:%s' \"$(openssl rand -base64 32)\"");
}

/// <summary>A stored secret can't be opened. The message says why and holds nothing of the secret.</summary>
public sealed class SecretUnreadableException(string reason, Exception? inner = null) : Exception($"A stored secret can't be opened: {reason}.", inner);
