using System.Collections.Concurrent;

namespace AgentPlatform.Grains.Delivery;

/// <summary>Keeps a warning from filling the log: so many a minute for one channel, then the next one says how many were left out.</summary>
internal sealed class LogBudget(TimeProvider clock)
{
    /// <summary>Most lines a minute about one channel.</summary>
    public const int MaxLinesPerMinute = 10;

    private readonly ConcurrentDictionary<Guid, Minute> _minutes = new();

    /// <summary>Whether one more line may be written.</summary>
    /// <param name="silenced">How many were left out since the last line.</param>
    public bool Permits(Guid channelId, out int silenced)
    {
        var minute = _minutes.GetOrAdd(channelId, static _ => new Minute());
        lock (minute)
        {
            var now = clock.GetUtcNow();
            if (now - minute.Began >= TimeSpan.FromMinutes(1) || now < minute.Began)
            {
                (minute.Began, minute.Lines) = (now, 0);
            }
            if (minute.Lines >= MaxLinesPerMinute)
            {
                silenced = 0;
                minute.Silenced++;
                return false;
            }
            minute.Lines++;
            (silenced, minute.Silenced) = (minute.Silenced, 0);
            return true;
        }
    }

    private sealed class Minute
    {
        public DateTimeOffset Began { get; set; }
        public int Lines { get; set; }
        public int Silenced { get; set; }
    }
}
