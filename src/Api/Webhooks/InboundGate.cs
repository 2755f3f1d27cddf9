using AgentPlatform.Api.Limits;

namespace AgentPlatform.Api.Webhooks;

/// <summary>
/// Where an organization's conversations wait to take in messages: behind it, all organizations stand in the same line for the database and the processors. One that is alone may fill
/// them (<see cref="WebhookOptions.ConversationsAtOnceOfOrganization"/>); while others are there, it leaves them room (<see cref="WebhookOptions.ConversationsAtOnceAmongOthers"/>).
/// </summary>
internal sealed class InboundGate(WebhookOptions options, Neighbours neighbours)
{
    private readonly PlacesOfEach _alone = new(options.ConversationsAtOnceOfOrganization);
    private readonly PlacesOfEach _amongOthers = new(Math.Min(options.ConversationsAtOnceAmongOthers, options.ConversationsAtOnceOfOrganization));

    /// <summary>Most places that an organization may have.</summary>
    public int Places => options.ConversationsAtOnceOfOrganization;

    /// <summary>Waits for a place of the organization's. Dispose of it once, when the messages are in.</summary>
    public ValueTask<PlacesOfEach.Place> Take(Guid organizationId, CancellationToken cancellationToken)
    {
        neighbours.Note(organizationId);
        return (neighbours.HasOthersThan(organizationId) ? _amongOthers : _alone).Take(organizationId, cancellationToken);
    }
}
