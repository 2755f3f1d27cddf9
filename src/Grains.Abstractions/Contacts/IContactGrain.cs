using AgentPlatform.Conversations;

namespace AgentPlatform.Contacts;

/// <summary>
/// A person as one channel knows them; its key is the contact's id. Changes of a contact go through it to the conversation that holds
/// part of the contact hot.
/// </summary>
[Alias("contacts.IContactGrain")]
public interface IContactGrain : IGrainWithGuidKey
{
    /// <summary>AI on or off for this contact.</summary>
    [Alias("SetAiEnabled")]
    Task<CommandResult> SetAiEnabled(bool enabled, Actor actor);

    /// <summary>Mutes, unmutes, blocks or unblocks the contact.</summary>
    [Alias("Change")]
    Task<CommandResult> Change(ConversationAction action, Actor actor);
}
