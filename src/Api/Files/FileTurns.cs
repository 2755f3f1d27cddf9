using AgentPlatform.Api.Limits;

namespace AgentPlatform.Api.Files;

/// <summary>
/// Where the pieces of an organization's files wait to be written or read, <see cref="AtOnce"/> at a time. A transfer is no request that is soon over, so it isn't counted among those;
/// but each of its pieces holds a connection to the database, which must not be all of them.
/// </summary>
internal sealed class FileTurns() : PlacesOfEach(AtOnce)
{
    private const int AtOnce = 2;
}
