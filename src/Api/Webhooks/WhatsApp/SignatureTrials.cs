namespace AgentPlatform.Api.Webhooks.WhatsApp;

/// <summary>
/// Tries secrets on one body, each once and not many on a large one: whoever names numbers that many channels name, or many of them in turns, would have it hashed again and again.
/// </summary>
internal sealed class SignatureTrials(ReadOnlyMemory<byte> body, string? signature)
{
    /// <summary>Most bytes that are hashed for one body; the first trial isn't counted.</summary>
    public const int MaxBytes = 8 * 1024 * 1024;

    private readonly Dictionary<byte[], bool> _tried = new(new SameBytes());

    /// <summary>Whether the signature holds under a secret; false where the bound is reached.</summary>
    public bool Holds(byte[] key)
    {
        if (_tried.TryGetValue(key, out var held))
        {
            return held;
        }
        if (_tried.Count > 0 && ((long)_tried.Count + 1) * body.Length > MaxBytes)
        {
            return false;
        }
        var holds = WhatsAppSignature.Verify(body.Span, signature, key);
        _tried.Add(key, holds);
        return holds;
    }

    private sealed class SameBytes : IEqualityComparer<byte[]>
    {
        public bool Equals(byte[]? one, byte[]? other) => one.AsSpan().SequenceEqual(other);

        public int GetHashCode(byte[] bytes)
        {
            var hash = default(HashCode);
            hash.AddBytes(bytes);
            return hash.ToHashCode();
        }
    }
}
