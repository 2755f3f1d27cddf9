using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace AgentPlatform.Api.Auth;

/// <summary>
/// Refresh tokens: session, generation, and a MAC over both. The n-th token of a session can be made again by any process, which is what lets a
/// repeated refresh within the grace give the same answer; and a genuine but old token is told from an invented one, which must not end a session.
/// </summary>
internal sealed class RefreshTokens(AuthOptions options)
{
    private const int MacBytes = 32;
    private const int Length = 16 + sizeof(int) + MacBytes;

    private readonly byte[][] _keys = [.. options.Keys.Select(key => key.For("refresh token"))];

    /// <summary>The token of a session's generation, made with the current key.</summary>
    public string Make(Guid sessionId, int generation) => Make(_keys[0], sessionId, generation);

    /// <summary>All forms of a generation's token, one for each key.</summary>
    public IEnumerable<string> MakeAll(Guid sessionId, int generation) => _keys.Select(key => Make(key, sessionId, generation));

    /// <summary>Session and generation of a genuine token; null for an invented one.</summary>
    public (Guid SessionId, int Generation)? Read(string token)
    {
        if (token.Length != Base64Url.GetEncodedLength(Length) || TokenText.Decode(token) is not { Length: Length } bytes)
        {
            return null;
        }
        foreach (var key in _keys)
        {
            if (CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(key, bytes.AsSpan(0, Length - MacBytes)), bytes.AsSpan(Length - MacBytes)))
            {
                return (new Guid(bytes.AsSpan(0, 16), bigEndian: true), BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(16)));
            }
        }
        return null;
    }

    /// <summary>What the database keeps.</summary>
    public static byte[] Hash(string token) => SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(token));

    private static string Make(byte[] key, Guid sessionId, int generation)
    {
        var bytes = new byte[Length];
        sessionId.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), generation);
        HMACSHA256.HashData(key, bytes.AsSpan(0, Length - MacBytes), bytes.AsSpan(Length - MacBytes));
        return Base64Url.EncodeToString(bytes);
    }
}
