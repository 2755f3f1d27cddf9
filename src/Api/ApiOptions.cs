using AgentPlatform.Data;

namespace AgentPlatform.Api;

/// <summary>The API's limits. Each has a setting of its name; problems that a limit causes name the setting.</summary>
public sealed record ApiOptions
{
    /// <summary>Largest request body in bytes (setting <c>API_MAX_BODY_BYTES</c>, default 1 MiB).</summary>
    public int MaxBodyBytes { get; init; } = 1024 * 1024;

    /// <summary>Requests a minute for one access token (setting <c>API_REQUESTS_PER_MINUTE</c>, default 1200); twice as many may come in a burst.</summary>
    public int RequestsPerMinute { get; init; } = 1200;

    /// <summary>Requests a minute of one organization, by whomever (setting <c>API_REQUESTS_PER_MINUTE_OF_ORGANIZATION</c>, default 12,000); twice as many may come in a burst.</summary>
    public int RequestsPerMinuteOfOrganization { get; init; } = 12_000;

    /// <summary>
    /// Requests of one organization that this process works on at once, one less of a person in all organizations; more wait (setting <c>API_REQUESTS_AT_ONCE_OF_ORGANIZATION</c>, default as many as there are processors, from
    /// 2 to 12): whoever sends more at once gets no more done, and those of the others find processors and connections free.
    /// </summary>
    public int RequestsAtOnceOfOrganization { get; init; } = Math.Clamp(Environment.ProcessorCount, 2, 12);

    /// <summary>Requests of one organization, and of one person, at once that wait for something else than the database: a conversation, a mail server.</summary>
    public const int WaitsAtOnceOfOrganization = 12;

    /// <summary>Requests of one organization that wait for their turn; more are refused.</summary>
    public const int MaxWaiting = 200;

    /// <summary>Uploads and downloads of one person under way at once in this process; more wait.</summary>
    public const int TransfersAtOnceOfPerson = 8;

    /// <summary>Those of an organization.</summary>
    public const int TransfersAtOnceOfOrganization = 64;

    /// <summary>Sign-in and refresh requests a minute from one network: an IPv4 address, or a /64 of IPv6 (setting <c>API_SIGN_INS_PER_MINUTE</c>, default 60).</summary>
    public int SignInsPerMinute { get; init; } = 60;

    /// <summary>
    /// Open event streams of one session; the oldest ends for a new one (setting <c>API_STREAMS_PER_SESSION</c>, default 4). Over HTTP/1.1 a browser opens six connections
    /// to a host and no more: streams must leave some of them for everything else.
    /// </summary>
    public int StreamsPerSession { get; init; } = 4;

    /// <summary>
    /// Open event streams of one person in one organization, in this process; the oldest ends for a new one (setting <c>API_STREAMS_PER_PERSON</c>, default 32; never more than half of
    /// <see cref="StreamsPerOrganization"/>).
    /// </summary>
    public int StreamsPerPerson { get; init; } = 32;

    /// <summary>Open event streams of one organization in this process; more are refused (setting <c>API_STREAMS_PER_ORGANIZATION</c>, default 1000).</summary>
    public int StreamsPerOrganization { get; init; } = 1000;

    /// <summary>How often a silent stream gets a comment, and looks for news that no hint told (setting <c>API_HEARTBEAT_SECONDS</c>, default 15).</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Trust <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> of these proxies (setting <c>TRUSTED_PROXIES</c>: addresses or networks, joined by commas; default none).</summary>
    public string TrustedProxies { get; init; } = "";

    /// <summary>The page size where a list names none.</summary>
    public const int DefaultPageSize = 50;

    /// <summary>The largest page.</summary>
    public const int MaxPageSize = 200;

    /// <summary>Reads the settings.</summary>
    public static ApiOptions From(IConfiguration configuration)
    {
        var defaults = new ApiOptions();
        return new()
        {
            MaxBodyBytes = configuration.Setting("API_MAX_BODY_BYTES", defaults.MaxBodyBytes),
            RequestsPerMinute = configuration.Setting("API_REQUESTS_PER_MINUTE", defaults.RequestsPerMinute),
            RequestsPerMinuteOfOrganization = configuration.Setting("API_REQUESTS_PER_MINUTE_OF_ORGANIZATION", defaults.RequestsPerMinuteOfOrganization),
            RequestsAtOnceOfOrganization = configuration.Setting("API_REQUESTS_AT_ONCE_OF_ORGANIZATION", defaults.RequestsAtOnceOfOrganization),
            StreamsPerPerson = configuration.Setting("API_STREAMS_PER_PERSON", defaults.StreamsPerPerson),
            StreamsPerOrganization = configuration.Setting("API_STREAMS_PER_ORGANIZATION", defaults.StreamsPerOrganization),
            SignInsPerMinute = configuration.Setting("API_SIGN_INS_PER_MINUTE", defaults.SignInsPerMinute),
            StreamsPerSession = configuration.Setting("API_STREAMS_PER_SESSION", defaults.StreamsPerSession),
            Heartbeat = TimeSpan.FromSeconds(configuration.Setting("API_HEARTBEAT_SECONDS", defaults.Heartbeat.TotalSeconds)),
            TrustedProxies = configuration["TRUSTED_PROXIES"] ?? defaults.TrustedProxies,
        };
    }
}
