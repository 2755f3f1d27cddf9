using System.Collections.Immutable;
using AgentPlatform.Conversations;
using Orleans.Concurrency;

namespace AgentPlatform.Grains.Conversations;

/// <summary>The side of a conversation's grain that its own background work knocks at.</summary>
[Alias("conversations.IConversationWork")]
public interface IConversationWork : IGrainWithStringKey
{
    /// <summary>Something ended outside the grain's turn (a model call, a send, a wait): takes it in.</summary>
    [Alias("Work")]
    Task Work();

    /// <summary>Receipts moved messages that this conversation may have in hand. Nobody waits for it; where it gets lost, the rows tell the same, later.</summary>
    [Alias("Moved"), OneWay]
    Task Moved(ImmutableArray<MovedMessage> moved);
}

/// <summary>A message that a receipt moved.</summary>
[GenerateSerializer, Immutable, Alias("conversations.moved-message.v1")]
public sealed record MovedMessage
{
    [Id(0)] public required Guid MessageId { get; init; }

    /// <summary>Its status now: <c>Pending</c> when it is to be sent again.</summary>
    [Id(1)] public required MessageStatus Status { get; init; }

    /// <summary>True when it was sent too fast to this person.</summary>
    [Id(2)] public bool IsTooFast { get; init; }

    /// <summary>Set when the person can't be written to.</summary>
    [Id(3)] public string? UnreachableReason { get; init; }
}
