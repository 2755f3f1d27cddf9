using AgentPlatform.Api.Limits;

namespace AgentPlatform.Api.Webhooks;

/// <summary>
/// Where an organization's conversations wait to take in messages, so many at once (<see cref="WebhookOptions.ConversationsAtOnceOfOrganization"/>): behind it, all organizations stand in
/// the same line for the database.
/// </summary>
internal sealed class InboundGate(WebhookOptions options) : PlacesOfEach(options.ConversationsAtOnceOfOrganization);
