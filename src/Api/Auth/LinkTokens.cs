using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using AgentPlatform.Data;

namespace AgentPlatform.Api.Auth;

/// <summary>
/// Tokens of links that people get (invitations, new passwords): the id of a row and a MAC over it, so that the process that sends the e-mail can make the
/// token again, and an invented one never reaches the database. The database keeps a hash.
/// </summary>
internal sealed class LinkTokens(AuthOptions options, string purpose)
{
    private const int IdBytes = 16;
    private const int MacBytes = 32;
    private readonly byte[][] _keys = [.. options.Keys.Select(key => key.For(purpose))];

    /// <summary>The token of a row, made with the current key.</summary>
    public string Make(Guid id) => Make(_keys[0], id);

    /// <summary>The token of a row whose hash was kept; null when its key is gone.</summary>
    public string? MakeAgain(Guid id, byte[] hash) => _keys.Select(key => Make(key, id)).FirstOrDefault(token => Hash(token).AsSpan().SequenceEqual(hash));

    /// <summary>What the database keeps of a genuine token; null for an invented one.</summary>
    public byte[]? Read(string token) =>
        TokenText.Decode(token) is { Length: IdBytes + MacBytes } bytes
        && _keys.Any(key => CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(key, bytes.AsSpan(0, IdBytes)), bytes.AsSpan(IdBytes)))
            ? Hash(token)
            : null;

    /// <summary>What the database keeps.</summary>
    public static byte[] Hash(string token) => SHA256.HashData(Encoding.ASCII.GetBytes(token));

    private static string Make(byte[] key, Guid id)
    {
        var bytes = new byte[IdBytes + MacBytes];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        HMACSHA256.HashData(key, bytes.AsSpan(0, IdBytes), bytes.AsSpan(IdBytes));
        return Base64Url.EncodeToString(bytes);
    }
}

/// <summary>The links themselves. A token stands behind the <c>#</c>, where no server and no <c>Referer</c> sees it.</summary>
internal sealed class AccountLinks(AuthOptions auth, AccountOptions options)
{
    /// <summary>Tokens of invitations.</summary>
    public LinkTokens Invitations { get; } = new(auth, "invitation");

    /// <summary>Tokens for a new password.</summary>
    public LinkTokens Resets { get; } = new(auth, "password reset");

    /// <summary>Where an invitation is accepted.</summary>
    /// <param name="token">The invitation's token.</param>
    /// <param name="request">The request to answer, for installations that don't say their own address; null for an e-mail.</param>
    public string Invitation(string token, HttpRequest? request) => Link("accept-invitation", token, request);

    /// <summary>Where a new password is set. Never made from a request: its address comes from whoever asks.</summary>
    public string Reset(string token) => Link("reset-password", token, null);

    private string Link(string page, string token, HttpRequest? request)
    {
        var root = options.ConsoleUrl?.ToString().TrimEnd('/') ?? (request is null
            ? throw new SettingException("PUBLIC_BASE_URL is not set: a link in an e-mail would lead nowhere.")
            : $"{request.Scheme}://{request.Host}");
        return $"{root}/{page}#token={token}";
    }
}
