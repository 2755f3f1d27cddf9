namespace AgentPlatform.Bench.Load;

/// <summary>What one run of the load generator does. Travels as JSON on the generator's standard input.</summary>
public sealed record LoadOrder
{
    /// <summary>Port on loopback.</summary>
    public required int Port { get; init; }

    /// <summary>Path of the webhook.</summary>
    public required string Path { get; init; }

    /// <summary>Secret that signs the bodies; empty sends no signature.</summary>
    public required string AppSecret { get; init; }

    /// <summary>Connections, each with one request at a time.</summary>
    public int Connections { get; init; } = 64;

    /// <summary>People who write, in turn.</summary>
    public int Contacts { get; init; } = 10_000;

    /// <summary>The first of them.</summary>
    public int FirstContact { get; init; }

    /// <summary>How long to send.</summary>
    public required double Seconds { get; init; }

    /// <summary>Requests a second, sent when they are due whether or not earlier ones were answered; 0 sends as fast as answers come.</summary>
    public double Rate { get; init; }

    /// <summary>Most requests, all of which are made before the first is sent.</summary>
    public required int Requests { get; init; }

    /// <summary>Sends no second message of a contact: the end comes with the last contact.</summary>
    public bool Once { get; init; }

    /// <summary>True to report when each contact's last request was sent.</summary>
    public bool Traces { get; init; }
}

/// <summary>What came of a <see cref="LoadOrder"/>.</summary>
public sealed record LoadResult
{
    /// <summary>Answers received.</summary>
    public required long Answers { get; init; }

    /// <summary>Answers by status code.</summary>
    public required SortedDictionary<int, long> Statuses { get; init; }

    /// <summary>From the first request to the last answer.</summary>
    public required double Seconds { get; init; }

    /// <summary>Milliseconds that half of the answers took at most; with a rate, from the moment that the request was due.</summary>
    public required double P50 { get; init; }

    /// <inheritdoc cref="P50"/>
    public required double P99 { get; init; }

    /// <inheritdoc cref="P50"/>
    public required double P999 { get; init; }

    /// <summary>The longest.</summary>
    public required double Maximum { get; init; }

    /// <summary>True when the requests ran out before the time: the rate is right, the span was shorter.</summary>
    public required bool RanOut { get; init; }

    /// <summary>Monotonic nanoseconds at which each request was due, and the contact who sent it; null unless asked for.</summary>
    public long[]? TraceTimes { get; init; }

    /// <inheritdoc cref="TraceTimes"/>
    public int[]? TraceContacts { get; init; }

    /// <summary>Answers a second.</summary>
    public double PerSecond => Answers / Seconds;

    /// <summary>Answers that were not 2xx.</summary>
    public long Failures => Statuses.Where(status => status.Key is < 200 or > 299).Sum(status => status.Value);
}
