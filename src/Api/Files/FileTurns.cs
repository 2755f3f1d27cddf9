using System.Collections.Concurrent;

namespace AgentPlatform.Api.Files;

/// <summary>
/// Lets an organization's files come and go a few pieces at a time in this process. A transfer is no request that is soon over, so it isn't counted among those; but each of its pieces
/// holds a connection to the database, which must not be all of them.
/// </summary>
internal sealed class FileTurns
{
    /// <summary>Pieces of one organization that are written or read at once.</summary>
    private const int AtOnce = 2;

    private readonly ConcurrentDictionary<Guid, SemaphoreSlim> _places = new();

    /// <summary>Does work on a piece when it is the organization's turn.</summary>
    public async Task<T> Take<T>(Guid organizationId, Func<Task<T>> work, CancellationToken cancellationToken)
    {
        var places = _places.GetOrAdd(organizationId, static _ => new SemaphoreSlim(AtOnce));
        await places.WaitAsync(cancellationToken);
        try
        {
            return await work();
        }
        finally
        {
            places.Release();
        }
    }
}
