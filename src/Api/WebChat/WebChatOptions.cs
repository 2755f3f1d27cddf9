using AgentPlatform.Data;

namespace AgentPlatform.Api.WebChat;

/// <summary>Limits of the web channel. Each has a setting of its name; problems that a limit causes name the setting.</summary>
public sealed record WebChatOptions
{
    /// <summary>Longest text of a visitor's message, in characters.</summary>
    public const int MaxTextLength = 4_000;

    /// <summary>Largest body of a visitor's request, in bytes.</summary>
    public const int MaxBodyBytes = 64 * 1024;

    /// <summary>Largest page of messages.</summary>
    public const int MaxPageSize = 200;

    /// <summary>How long a visitor's token lasts (setting <c>WEB_VISITOR_TOKEN_DAYS</c>, default 30). A page that is open renews it after half of that.</summary>
    public TimeSpan VisitorTokenLifetime { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Visitor tokens a minute for one address (setting <c>WEB_VISITORS_PER_MINUTE</c>, default 30).</summary>
    public int VisitorsPerMinute { get; init; } = 30;

    /// <summary>Messages a minute of one visitor (setting <c>WEB_MESSAGES_PER_MINUTE</c>, default 30).</summary>
    public int MessagesPerMinute { get; init; } = 30;

    /// <summary>Messages a minute from one address, whoever writes (setting <c>WEB_ADDRESS_MESSAGES_PER_MINUTE</c>, default 300).</summary>
    public int AddressMessagesPerMinute { get; init; } = 300;

    /// <summary>Reads a minute of one visitor: pages of messages and new event streams (setting <c>WEB_READS_PER_MINUTE</c>, default 120).</summary>
    public int ReadsPerMinute { get; init; } = 120;

    /// <summary>
    /// Event streams that one visitor may have open; the oldest ends for a new one (setting <c>WEB_STREAMS_PER_VISITOR</c>, default 3). Over HTTP/1.1 a browser opens six
    /// connections to a host and no more: streams must leave some of them for sending.
    /// </summary>
    public int StreamsPerVisitor { get; init; } = 3;

    /// <summary>How often a silent stream gets a comment, and looks for news that no hint told (setting <c>WEB_HEARTBEAT_SECONDS</c>, default 15).</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The address under which browsers reach this installation, where it isn't the request's own (setting <c>PUBLIC_BASE_URL</c>).</summary>
    public Uri? PublicBaseUrl { get; init; }

    /// <summary>The web channel of the demo organization, the same in every installation.</summary>
    public static readonly Guid DemoChannelId = new("e8106b66-3d8e-87bd-ad13-32dbef1fdf53");

    /// <summary>The web channel that the start page links to, if it exists.</summary>
    public Guid StartPageChannelId { get; init; } = DemoChannelId;

    /// <summary>Reads the settings.</summary>
    public static WebChatOptions From(IConfiguration configuration)
    {
        var defaults = new WebChatOptions();
        return new WebChatOptions
        {
            VisitorTokenLifetime = TimeSpan.FromDays(configuration.Setting("WEB_VISITOR_TOKEN_DAYS", defaults.VisitorTokenLifetime.TotalDays)),
            VisitorsPerMinute = configuration.Setting("WEB_VISITORS_PER_MINUTE", defaults.VisitorsPerMinute),
            MessagesPerMinute = configuration.Setting("WEB_MESSAGES_PER_MINUTE", defaults.MessagesPerMinute),
            AddressMessagesPerMinute = configuration.Setting("WEB_ADDRESS_MESSAGES_PER_MINUTE", defaults.AddressMessagesPerMinute),
            ReadsPerMinute = configuration.Setting("WEB_READS_PER_MINUTE", defaults.ReadsPerMinute),
            StreamsPerVisitor = configuration.Setting("WEB_STREAMS_PER_VISITOR", defaults.StreamsPerVisitor),
            Heartbeat = TimeSpan.FromSeconds(configuration.Setting("WEB_HEARTBEAT_SECONDS", defaults.Heartbeat.TotalSeconds)),
            PublicBaseUrl = Uri.TryCreate(configuration["PUBLIC_BASE_URL"], UriKind.Absolute, out var url) ? url : null,
        };
    }
}
