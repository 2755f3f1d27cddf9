using System.Collections.Concurrent;

namespace AgentPlatform.Api.Webhooks;

/// <summary>
/// Lets so many conversations of an organization take in messages at once in this process; more wait here, where they hold up nobody else: behind this gate, all organizations stand in
/// the same line for the database.
/// </summary>
internal sealed class InboundGate(WebhookOptions options)
{
    private readonly ConcurrentDictionary<Guid, SemaphoreSlim> _gates = new();

    /// <summary>The organization's places.</summary>
    public SemaphoreSlim Of(Guid organizationId) => _gates.TryGetValue(organizationId, out var gate) ? gate : _gates.GetOrAdd(organizationId, _ => new SemaphoreSlim(options.ConversationsAtOnceOfOrganization));
}
