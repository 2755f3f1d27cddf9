using System.Collections.Concurrent;

namespace AgentPlatform.Api.Limits;

/// <summary>Places for work in this process, so many for each organization: more of its work waits, first come, first served, and holds up nobody else.</summary>
internal class PlacesOfEach(int count)
{
    private readonly ConcurrentDictionary<Guid, SemaphoreSlim> _places = new();

    /// <summary>Waits for a place of the organization's. Dispose of it once, when the work is done.</summary>
    public async ValueTask<Place> Take(Guid organizationId, CancellationToken cancellationToken)
    {
        var places = _places.TryGetValue(organizationId, out var known) ? known : _places.GetOrAdd(organizationId, _ => new SemaphoreSlim(count));
        await places.WaitAsync(cancellationToken);
        return new Place(places);
    }

    /// <summary>A place that is taken.</summary>
    public readonly struct Place(SemaphoreSlim places) : IDisposable
    {
        public void Dispose() => places.Release();
    }
}
