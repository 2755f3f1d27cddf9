using System.Collections.Immutable;

namespace AgentPlatform.Data.Channels;

/// <summary>A channel as the engine and the webhooks use it: one row of <c>channels</c> with its credentials opened.</summary>
public sealed record ChannelSettings
{
    public required Guid Id { get; init; }
    public required Guid OrganizationId { get; init; }
    public required string Platform { get; init; }
    public string? PlatformChannelId { get; init; }

    /// <summary>Who answers: the channel's own agent, or the organization's default agent where it names none.</summary>
    public Guid? AgentId { get; init; }
    public required string Name { get; init; }
    public required bool IsActive { get; init; }

    /// <summary>AI on or off for the whole channel.</summary>
    public required bool IsBotActive { get; init; }

    /// <summary>AI on or off for the whole organization.</summary>
    public required bool IsOrganizationAiEnabled { get; init; }

    /// <summary>Not null while the platform refuses the channel.</summary>
    public string? BrokenReason { get; init; }

    /// <summary>Seconds to wait for more messages before the agent starts (the agent's <c>response_delay_seconds</c>).</summary>
    public int ResponseDelaySeconds { get; init; }

    /// <summary>What a new message does to a turn under way: true to restart it, false to queue behind it.</summary>
    public bool RestartsOnNewMessage { get; init; } = true;

    /// <summary>True when <see cref="AgentId"/> is active.</summary>
    public bool HasActiveAgent { get; init; }

    /// <summary>Why nobody answers in the channel (one of <see cref="NotAnswered.Codes"/>); null where somebody does.</summary>
    public string? NotAnsweredCode { get; init; }

    /// <summary>Opened credentials by name: <c>appSecret</c>, <c>verifyToken</c>, <c>accessToken</c>, <c>botToken</c>, <c>secretToken</c>.</summary>
    public required ImmutableDictionary<string, string> Credentials { get; init; }

    /// <summary>Base URL of the platform's API; null for the platform's own.</summary>
    public string? ApiBaseUrl { get; init; }

    /// <summary>Messages a second that this channel may send; null for the platform's default.</summary>
    public double? SendRatePerSecond { get; init; }

    /// <summary>Keyword (lower case) → what it does.</summary>
    public ImmutableDictionary<string, KeywordAction> Keywords { get; init; } = ImmutableDictionary<string, KeywordAction>.Empty;
}

/// <summary>What a keyword does: switch the AI, or answer with a content collection.</summary>
/// <param name="ActionType"><c>ENABLE_AI</c>, <c>DISABLE_AI</c> or <c>SEND_COLLECTION</c>.</param>
/// <param name="Items">The items to send, for a collection.</param>
public sealed record KeywordAction(string ActionType, ImmutableArray<string> Items);

/// <summary>Channels by id, or by what the platform calls them. Cached in the process; a change is seen within a second.</summary>
public interface IChannelDirectory
{
    /// <summary>Null when there is no such channel.</summary>
    ValueTask<ChannelSettings?> Find(Guid channelId, CancellationToken cancellationToken);

    /// <summary>Finds the channel of a webhook that names the platform's own id (WhatsApp's <c>phone_number_id</c>).</summary>
    ValueTask<ChannelSettings?> FindByPlatformId(string platform, string platformChannelId, CancellationToken cancellationToken);
}
