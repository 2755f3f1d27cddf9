namespace AgentPlatform.Bench.Measuring;

/// <summary>Counts durations in buckets of about 1 % width, from a microsecond to some 70 minutes. Not safe for several threads: give each its own and add them.</summary>
public sealed class Histogram
{
    private const int SubBucketBits = 7;
    private const int SubBuckets = 1 << SubBucketBits;
    private readonly long[] _counts = new long[SubBuckets * 26];

    /// <summary>How many were counted.</summary>
    public long Count { get; private set; }

    /// <summary>The longest, in microseconds.</summary>
    public long Maximum { get; private set; }

    /// <summary>Counts one duration.</summary>
    public void Record(long microseconds)
    {
        microseconds = Math.Clamp(microseconds, 0, (1L << 32) - 1);
        _counts[Bucket(microseconds)]++;
        Count++;
        Maximum = Math.Max(Maximum, microseconds);
    }

    /// <summary>Adds what another counted.</summary>
    public void Add(Histogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }
        Count += other.Count;
        Maximum = Math.Max(Maximum, other.Maximum);
    }

    /// <summary>The duration that this share (0 to 1) of all did not exceed, in milliseconds.</summary>
    public double Milliseconds(double share)
    {
        var wanted = (long)Math.Ceiling(share * Count);
        long seen = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= wanted && seen > 0)
            {
                return Math.Min(Value(i), Maximum) / 1000.0;
            }
        }
        return 0;
    }

    private static int Bucket(long value)
    {
        var shift = Math.Max(0, 63 - long.LeadingZeroCount(value | 1) - SubBucketBits);
        return (int)((shift << SubBucketBits) + (value >> (int)shift));
    }

    private static long Value(int bucket)
    {
        var shift = Math.Max(0, (bucket >> SubBucketBits) - 1);
        return (bucket - ((long)shift << SubBucketBits)) << shift;
    }
}
