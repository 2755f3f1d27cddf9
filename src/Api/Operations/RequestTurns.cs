using System.Threading.RateLimiting;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Limits;

namespace AgentPlatform.Api.Operations;

/// <summary>
/// Lets so many requests of an organization, and of a person in all organizations, be worked on at once in this process; more wait. A request takes its turn when all of it is here, and
/// gives it back before its answer goes out: how slowly somebody sends or reads is nobody else's business.
/// </summary>
internal sealed class RequestTurns(ApiOptions options, Neighbours neighbours) : IDisposable
{
    private readonly PartitionedRateLimiter<Guid> _places = Places(Math.Max(1, options.RequestsAtOnceOfOrganization));

    /// <summary>Of those that wait for something else than the database.</summary>
    private readonly PartitionedRateLimiter<Guid> _waits = Places(ApiOptions.WaitsAtOnceOfOrganization);

    /// <summary>The turn of a request: dispose of it when the work is done.</summary>
    /// <exception cref="LimitReachedException">Too many wait already.</exception>
    public async ValueTask<IDisposable> Take(Caller caller, Operation operation, CancellationToken cancellationToken)
    {
        neighbours.Meet(caller.OrganizationId);
        var places = operation.WaitsForOthers ? _waits : _places;
        var ofOrganization = await Take(places, caller.OrganizationId, cancellationToken);
        try
        {
            // Always in this order: nobody who has the second place waits for the first.
            return new Turn(ofOrganization, await Take(places, caller.UserId, cancellationToken));
        }
        catch
        {
            ofOrganization.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _places.Dispose();
        _waits.Dispose();
    }

    private static PartitionedRateLimiter<Guid> Places(int count) => PartitionedRateLimiter.Create<Guid, Guid>(whose => ConcurrencyLimit.Of(whose, count));

    private async ValueTask<RateLimitLease> Take(PartitionedRateLimiter<Guid> places, Guid whose, CancellationToken cancellationToken)
    {
        var lease = await places.AcquireAsync(whose, 1, cancellationToken);
        return lease.IsAcquired ? lease
            : throw new LimitReachedException($"API_REQUESTS_AT_ONCE_OF_ORGANIZATION is {options.RequestsAtOnceOfOrganization}, for a person in all organizations too, and {ApiOptions.MaxWaitingOfOrganization} requests wait.");
    }

    private sealed class Turn(RateLimitLease ofOrganization, RateLimitLease ofPerson) : IDisposable
    {
        public void Dispose()
        {
            ofPerson.Dispose();
            ofOrganization.Dispose();
        }
    }
}
