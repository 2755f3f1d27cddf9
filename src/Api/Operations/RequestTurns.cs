using System.Threading.RateLimiting;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Limits;

namespace AgentPlatform.Api.Operations;

/// <summary>
/// Lets so many requests of an organization be worked on at once in this process, and one less of a person, in all organizations together: nobody leaves his colleagues none. More wait,
/// each person's in a line of their own. A request takes its turn when all of it is here, and gives it back before its answer goes out: how slowly somebody sends or reads is nobody
/// else's business.
/// </summary>
internal sealed class RequestTurns(ApiOptions options, Neighbours neighbours) : IDisposable
{
    private readonly PartitionedRateLimiter<Guid> _places = Places(Math.Max(1, options.RequestsAtOnceOfOrganization));
    private readonly PartitionedRateLimiter<Guid> _placesOfPeople = Places(Math.Max(1, options.RequestsAtOnceOfOrganization - 1));

    /// <summary>Of those that wait for something else than the database.</summary>
    private readonly PartitionedRateLimiter<Guid> _waits = Places(ApiOptions.WaitsAtOnceOfOrganization);
    private readonly PartitionedRateLimiter<Guid> _waitsOfPeople = Places(ApiOptions.WaitsAtOnceOfOrganization - 1);

    /// <summary>The turn of a request: dispose of it when the work is done.</summary>
    /// <exception cref="LimitReachedException">Too many wait already.</exception>
    public async ValueTask<IDisposable> Take(Caller caller, Operation operation, CancellationToken cancellationToken)
    {
        neighbours.Note(caller.OrganizationId);
        var (people, organizations) = operation.WaitsForOthers ? (_waitsOfPeople, _waits) : (_placesOfPeople, _places);
        // Always in this order: what a person may not do yet stands in that person's own line, and those of the organization's line are few of each.
        var ofPerson = await Take(people, caller.UserId, cancellationToken);
        try
        {
            return new Turn(await Take(organizations, caller.OrganizationId, cancellationToken), ofPerson);
        }
        catch
        {
            ofPerson.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _places.Dispose();
        _placesOfPeople.Dispose();
        _waits.Dispose();
        _waitsOfPeople.Dispose();
    }

    private static PartitionedRateLimiter<Guid> Places(int count) => PartitionedRateLimiter.Create<Guid, Guid>(whose => ConcurrencyLimit.Of(whose, count));

    private async ValueTask<RateLimitLease> Take(PartitionedRateLimiter<Guid> places, Guid whose, CancellationToken cancellationToken)
    {
        var lease = await places.AcquireAsync(whose, 1, cancellationToken);
        return lease.IsAcquired ? lease
            : throw new LimitReachedException($"API_REQUESTS_AT_ONCE_OF_ORGANIZATION is {options.RequestsAtOnceOfOrganization}, one less for a person, and {ApiOptions.MaxWaiting} requests wait.");
    }

    private sealed class Turn(RateLimitLease ofOrganization, RateLimitLease ofPerson) : IDisposable
    {
        public void Dispose()
        {
            ofOrganization.Dispose();
            ofPerson.Dispose();
        }
    }
}
