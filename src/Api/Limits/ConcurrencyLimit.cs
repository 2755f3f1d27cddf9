using System.Threading.RateLimiting;

namespace AgentPlatform.Api.Limits;

/// <summary>So many at once, and <see cref="ApiOptions.MaxWaiting"/> that wait, in the order in which they came; more are refused.</summary>
internal static class ConcurrencyLimit
{
    /// <summary>The limit of whatever the key stands for.</summary>
    public static RateLimitPartition<TKey> Of<TKey>(TKey key, int permits) => RateLimitPartition.GetConcurrencyLimiter(key, _ => new ConcurrencyLimiterOptions
    {
        PermitLimit = permits,
        QueueLimit = ApiOptions.MaxWaiting,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });
}
