using System.Buffers;
using System.Buffers.Text;

namespace AgentPlatform.Api.Auth;

/// <summary>Base64url as tokens use it: one text for one value, so that a token can't be spelled in two ways.</summary>
internal static class TokenText
{
    /// <summary>The bytes; null for anything that <see cref="Base64Url"/> wouldn't have written.</summary>
    public static byte[]? Decode(string text)
    {
        var bytes = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        return Base64Url.DecodeFromChars(text, bytes, out _, out var written) == OperationStatus.Done && Base64Url.EncodeToString(bytes.AsSpan(0, written)) == text
            ? bytes[..written]
            : null;
    }
}
