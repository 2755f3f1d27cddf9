namespace AgentPlatform.Api.Webhooks.WhatsApp;

/// <summary>
/// Tries secrets on one body, each once and not many on a large one: whoever names numbers that many channels name, or many of them in turns, would have it hashed again and again.
/// </summary>
internal sealed class SignatureTrials(ReadOnlyMemory<byte> body, string? signature)
{
    /// <summary>Most bytes that are hashed for one body; the first trial isn't counted.</summary>
    public const int MaxBytes = 8 * 1024 * 1024;

    private readonly List<(byte[] Key, bool Holds)> _tried = [];

    /// <summary>Whether the signature holds under a secret; false where the bound is reached.</summary>
    public bool Holds(byte[] key)
    {
        foreach (var (tried, held) in _tried)
        {
            if (tried.AsSpan().SequenceEqual(key))
            {
                return held;
            }
        }
        if (_tried.Count > 0 && ((long)_tried.Count + 1) * body.Length > MaxBytes)
        {
            return false;
        }
        var holds = WhatsAppSignature.Verify(body.Span, signature, key);
        _tried.Add((key, holds));
        return holds;
    }
}
