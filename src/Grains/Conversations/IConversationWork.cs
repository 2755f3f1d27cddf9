namespace AgentPlatform.Grains.Conversations;

/// <summary>The side of a conversation's grain that its own background work knocks at.</summary>
[Alias("conversations.IConversationWork")]
public interface IConversationWork : IGrainWithStringKey
{
    /// <summary>Something ended outside the grain's turn (a model call, a send, a wait): takes it in.</summary>
    [Alias("Work")]
    Task Work();
}
