using System.Collections.Immutable;

namespace AgentPlatform.Data.Channels;

/// <summary>A channel as the engine and the webhooks use it: one row of <c>channels</c> with its credentials opened.</summary>
public sealed record ChannelSettings
{
    /// <summary>From which age on a message is late where the channel doesn't say.</summary>
    public static readonly TimeSpan DefaultLateAfter = TimeSpan.FromHours(12);

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

    /// <summary>Whether agents answer in groups; null for the platform's default (Telegram: yes, WhatsApp: no). Nobody in a group is ever answered in private.</summary>
    public bool? AnswersGroups { get; init; }

    /// <summary>From which age on a message that is only delivered now is late. Setting <c>lateAfterMinutes</c>, default 12 hours.</summary>
    public TimeSpan LateAfter { get; init; } = DefaultLateAfter;

    /// <summary>What becomes of a late message. Setting <c>onLateMessage</c>.</summary>
    public LateMessages OnLateMessage { get; init; } = LateMessages.HandOver;

    /// <summary>Keyword (lower case) → what it does.</summary>
    public ImmutableDictionary<string, KeywordAction> Keywords { get; init; } = ImmutableDictionary<string, KeywordAction>.Empty;
}

/// <summary>What becomes of a message that comes long after it was written: an outage was on the way, or the platform's own.</summary>
public enum LateMessages
{
    /// <summary>People see to it.</summary>
    HandOver,

    /// <summary>The AI answers it like any other, as far as the platform's window allows.</summary>
    Answer,

    /// <summary>It is stored, and waits unread.</summary>
    Leave,
}

/// <summary>What a keyword does: switch the AI, mute or block the contact, or answer with a content collection.</summary>
/// <param name="ActionType"><c>ENABLE_AI</c>, <c>DISABLE_AI</c>, <c>MUTE_CONTACT</c>, <c>BLOCK_CONTACT</c> or <c>SEND_COLLECTION</c>.</param>
/// <param name="Items">The items to send, for a collection.</param>
public sealed record KeywordAction(string ActionType, ImmutableArray<string> Items);

/// <summary>Channels by id, or by what the platform calls them. Cached in the process; a change is seen within a second.</summary>
public interface IChannelDirectory
{
    /// <summary>Null when there is no such channel.</summary>
    ValueTask<ChannelSettings?> Find(Guid channelId, CancellationToken cancellationToken);

    /// <summary>
    /// The channels that say they are the account that a webhook names (WhatsApp's <c>phone_number_id</c>), those first that said so first. Anybody can say so: whose the event is, its
    /// signature tells.
    /// </summary>
    ValueTask<ImmutableArray<Guid>> FindByPlatformId(string platform, string platformChannelId, CancellationToken cancellationToken);
}
