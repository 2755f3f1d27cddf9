using System.Globalization;
using System.Threading.RateLimiting;
using AgentPlatform.Api.Problems;

namespace AgentPlatform.Api.WebChat;

/// <summary>How often visitors and addresses may ask. Counted in this process.</summary>
internal sealed class WebChatLimits : IDisposable
{
    private readonly WebChatOptions _options;
    private readonly PartitionedRateLimiter<string> _visitors;
    private readonly PartitionedRateLimiter<string> _messages;
    private readonly PartitionedRateLimiter<string> _addressMessages;
    private readonly PartitionedRateLimiter<string> _reads;

    public WebChatLimits(WebChatOptions options)
    {
        _options = options;
        _visitors = PerMinute(options.VisitorsPerMinute);
        _messages = PerMinute(options.MessagesPerMinute);
        _addressMessages = PerMinute(options.AddressMessagesPerMinute);
        _reads = PerMinute(options.ReadsPerMinute);
    }

    /// <summary>Null when the address may have one more token.</summary>
    public Problem? TakeVisitor(string address) => Take(_visitors, address, "WEB_VISITORS_PER_MINUTE", _options.VisitorsPerMinute);

    /// <summary>Null when the visitor may send one more message.</summary>
    public Problem? TakeMessage(Visitor visitor, string address) =>
        Take(_addressMessages, address, "WEB_ADDRESS_MESSAGES_PER_MINUTE", _options.AddressMessagesPerMinute)
        ?? Take(_messages, visitor.Identity, "WEB_MESSAGES_PER_MINUTE", _options.MessagesPerMinute);

    /// <summary>Null when the visitor may read once more.</summary>
    public Problem? TakeRead(Visitor visitor) => Take(_reads, visitor.Identity, "WEB_READS_PER_MINUTE", _options.ReadsPerMinute);

    public void Dispose()
    {
        _visitors.Dispose();
        _messages.Dispose();
        _addressMessages.Dispose();
        _reads.Dispose();
    }

    private static PartitionedRateLimiter<string> PerMinute(int limit) => PartitionedRateLimiter.Create<string, string>(key =>
        RateLimitPartition.GetSlidingWindowLimiter(key, _ => new SlidingWindowRateLimiterOptions
        {
            PermitLimit = Math.Max(1, limit),
            Window = TimeSpan.FromMinutes(1),
            SegmentsPerWindow = 6,
            QueueLimit = 0,
        }));

    private static Problem? Take(PartitionedRateLimiter<string> limiter, string key, string name, int limit)
    {
        using var lease = limiter.AttemptAcquire(key);
        return lease.IsAcquired ? null : new Problem(ProblemType.TooManyRequests, string.Create(CultureInfo.InvariantCulture, $"{name} is {limit}."))
        {
            RetryAfter = lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.FromSeconds(10),
        };
    }
}
