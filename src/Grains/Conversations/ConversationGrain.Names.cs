using AgentPlatform.Conversations;
using AgentPlatform.Data.Conversations;

namespace AgentPlatform.Grains.Conversations;

/// <summary>
/// Whose conversation a batch is. The grain of the name that a person was first met by holds the conversation for good; the grains of other names pass calls on. A name that the
/// person gave up may be somebody else's: the grain of such a name looks, for each batch, whose it is.
/// </summary>
internal sealed partial class ConversationGrain
{
    private IConversationGrain GrainOf(string firstIdentity) => GrainFactory.GetGrain<IConversationGrain>((_key with { PlatformUserId = firstIdentity }).ToString());

    /// <summary>The grain that a batch belongs to; null when it is this one.</summary>
    private async ValueTask<IConversationGrain?> Home(InboundBatch batch)
    {
        if (_home is not null)
        {
            return _home;
        }
        if (_former is not null)
        {
            return await HomeOfGivenUp(batch, _key.PlatformUserId, GrainOf(_former.FirstIdentity), _former.FormerNames);
        }
        if (_state is not null)
        {
            return FormerNameIn(_state, batch.Contact) is { } name ? await HomeOfGivenUp(batch, name, null, _state.FormerNames) : null;
        }
        var contact = batch.Contact;
        if (contact.Identities.Length < 2)
        {
            return null;
        }
        // A person met here for the first time may be known by another of the names in the message; then the conversation is that one's.
        var others = ConversationNames.Present(contact).Where(name => name != _key.PlatformUserId).ToArray();
        var isFormer = ConversationNames.IsRename(contact) && contact.GivenUp.Contains(_key.PlatformUserId);
        return await services.Store.Adopt(_key.ChannelId, _key.PlatformUserId, others, isFormer, CancellationToken.None).OrUnavailable() is { } first && first != _key.PlatformUserId
            ? GrainOf(first)
            : null;
    }

    /// <summary>A name in the batch that the conversation's person gave up, where none of those is in it that the person has.</summary>
    private static string? FormerNameIn(ConversationState state, InboundContact contact) =>
        state.FormerNames.Length == 0 || contact.Identities.Any(state.Identities.Contains) ? null : contact.Identities.FirstOrDefault(state.HasGivenUp);

    /// <summary>
    /// A batch came to a name that was given up: from before that, or about it, it is the conversation's; else somebody else's, who may be met by it for the first time.
    /// </summary>
    /// <param name="formers">The grain of the conversation whose person had the name; null when it is this one.</param>
    private async Task<IConversationGrain?> HomeOfGivenUp(InboundBatch batch, string name, IConversationGrain? formers, IEnumerable<(string Name, DateTimeOffset At)> formerNames)
    {
        var at = formerNames.First(former => former.Name == name).At;
        if (ConversationNames.IsFromBefore(batch, name, at))
        {
            return formers;
        }
        if (await services.Store.FindHolder(_key.ChannelId, name, CancellationToken.None).OrUnavailable() is { } holder)
        {
            return holder == _key.PlatformUserId ? null : GrainOf(holder);
        }
        // Known under another of the names in the message: the conversation is that one's, whose person has taken this name.
        foreach (var other in ConversationNames.Present(batch.Contact).Where(other => other != name))
        {
            if (await services.Store.FindHolder(_key.ChannelId, other, CancellationToken.None).OrUnavailable() is { } known)
            {
                return GrainOf(known);
            }
        }
        return GrainOf($"{name}#{services.NewId():N}");
    }

    /// <summary>
    /// A reaction in a group names the group and the message, but not the topic of the group that the message is in: the topic's conversation and its name. Null where the message is
    /// in this conversation, or unknown.
    /// </summary>
    private async ValueTask<MessageHome?> HomeOfReaction(InboundBatch batch) =>
        batch.Contact.IsGroup && ReactsTo(batch) is { } target
        && await services.Store.FindHomeOfMessage(_key.ChannelId, target, CancellationToken.None).OrUnavailable() is { } home && home.FirstIdentity != _key.PlatformUserId
            ? home
            : null;

    /// <summary>The message that all of a batch reacts to.</summary>
    private static string? ReactsTo(InboundBatch batch) =>
        batch.Messages.FirstOrDefault()?.ReplyToPlatformId is { } target && batch.Messages.All(message => message.ContentType == ContentTypes.Reaction && message.ReplyToPlatformId == target)
            ? target
            : null;

    private ConversationState Meet(InboundBatch batch)
    {
        string[] names = [.. ConversationNames.Present(batch.Contact)];
        return new ConversationState
        {
            Id = services.NewId(),
            OrganizationId = batch.OrganizationId,
            ChannelId = _key.ChannelId,
            ContactId = services.NewId(),
            FirstIdentity = _key.PlatformUserId,
            Identities = names.Length > 0 ? names : [_key.PlatformUserId],
            IsGroup = batch.Contact.IsGroup,
        };
    }

    /// <summary>
    /// A batch calls the conversation's person by a name that another contact has: both are one person, and the conversations become one; or the name is the other's no more.
    /// </summary>
    private async Task TakeNames(InboundBatch batch)
    {
        var at = batch.Messages.FirstOrDefault()?.PlatformTimestamp ?? services.Clock.GetUtcNow();
        if (_state is null || ConversationNames.New(_state, batch.Contact, at) is not { Length: > 0 } names)
        {
            return;
        }
        DateTimeOffset? movedAt = ConversationNames.IsRename(batch.Contact) ? at : null;
        foreach (var other in await services.Store.FindOtherHolders(_key.ChannelId, _state.ContactId, names, movedAt, CancellationToken.None).OrUnavailable())
        {
            if (!ConversationNames.IsSamePerson(other, batch.Contact, movedAt))
            {
                if (other.HasGivenUp)
                {
                    continue;
                }
                await services.Store.GiveUpName(other.ContactId, other.Name, movedAt ?? services.Clock.GetUtcNow(), CancellationToken.None).OrUnavailable();
            }
            else if (await Merge(other))
            {
                LogMerged(services.Logger, other.ConversationId, _state.Id, _key.ChannelId);
            }
            await GrainOf(other.FirstIdentity).Forget();
        }
    }

    /// <summary>The platform told, when something was sent, by what name the recipient goes now: the same as if it had told so by a notice.</summary>
    private async Task MoveTo(string name)
    {
        if (_state is not { Recipient: { } old } state || old == name)
        {
            return;
        }
        await Receive(new InboundBatch
        {
            OrganizationId = state.OrganizationId,
            ChannelId = state.ChannelId,
            Contact = new InboundContact { Identities = [old, name], GivenUp = [old], IsGroup = state.IsGroup },
            Messages = [new InboundMessage { PlatformMessageId = $"moved:{old}:{name}", ContentType = ContentTypes.System }],
        });
    }

    /// <summary>The other conversation becomes part of this one, with what waits to be answered or sent there. False when it is part of it already.</summary>
    private async Task<bool> Merge(NameHolder other)
    {
        for (var tries = 1; ; tries++)
        {
            var isMerged = await services.Store.Merge(_state!.Id, _state.Version, other.ConversationId, CancellationToken.None).OrUnavailable();
            ReadAgain();
            await Load();
            if (_state is null)
            {
                throw new StorageUnavailableException("The conversation moved while it was merged; try again.");
            }
            if (isMerged || _state.Identities.Contains(other.Name) || _state.HasGivenUp(other.Name))
            {
                services.Live.Changed(_state.OrganizationId, _state.Id);
                await AnswerWhatWaits();
                return isMerged;
            }
            if (tries == MaxDecisions)
            {
                throw new StorageUnavailableException("Two conversations that are one could not be made one now; try again.");
            }
        }
    }

    /// <summary>The other's turn ended with it: what nobody has answered is answered here, if the AI may.</summary>
    private async Task AnswerWhatWaits()
    {
        if (_state is { Turn: null, Status: ConversationStatus.Active })
        {
            await GoOn();
        }
    }

    /// <summary>Drops what is in memory, to read it again at once.</summary>
    private void ReadAgain()
    {
        StopTurn();
        ForgetOutbox();
        _state = null;
        _isLoaded = false;
        _queuedFrom = 0;
    }
}
