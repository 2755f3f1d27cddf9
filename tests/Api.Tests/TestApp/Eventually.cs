namespace AgentPlatform.Api.Tests.TestApp;

/// <summary>Waits for what another process (Postgres, a timer) brings about.</summary>
public static class Eventually
{
    /// <summary>How long a condition may take on a machine under load.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Looks again every few milliseconds until the condition holds; fails when it doesn't in time.</summary>
    public static async Task Holds(Func<Task<bool>> condition, TimeSpan? within = null)
    {
        using var patience = new CancellationTokenSource(within ?? Patience);
        while (!await condition())
        {
            Assert.False(patience.IsCancellationRequested, $"The condition did not hold within {within ?? Patience}.");
            await Task.Delay(10, CancellationToken.None);
        }
    }
}
