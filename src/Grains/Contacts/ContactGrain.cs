using AgentPlatform.Contacts;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Conversations;

namespace AgentPlatform.Grains.Contacts;

/// <inheritdoc cref="IContactGrain"/>
internal sealed class ContactGrain(ConversationStore store) : Grain, IContactGrain
{
    private ConversationKey? _conversation;

    public Task<CommandResult> SetAiEnabled(bool enabled, Actor actor) => Change(enabled ? ConversationAction.EnableAi : ConversationAction.DisableAi, actor);

    public async Task<CommandResult> Change(ConversationAction action, Actor actor)
    {
        _conversation ??= await store.FindConversationOf(this.GetPrimaryKey(), CancellationToken.None).OrUnavailable() is { } found
            ? new ConversationKey(found.ChannelId, found.Identity)
            : null;
        if (_conversation is not { } key)
        {
            return new CommandResult { Outcome = CommandOutcome.NotFound };
        }
        return await GrainFactory.GetGrain<IConversationGrain>(key.ToString()).Change(new ConversationChange
        {
            Action = action,
            Actor = actor,
        });
    }
}
