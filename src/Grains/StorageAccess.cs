using AgentPlatform.Data.Connections;

namespace AgentPlatform.Grains;

/// <summary>What grains read and write, in a form whose failures every process understands.</summary>
internal static class StorageAccess
{
    /// <summary>The driver's exceptions don't travel between processes; this one does.</summary>
    /// <exception cref="StorageUnavailableException">Postgres is away.</exception>
    public static async Task<T> OrUnavailable<T>(this Task<T> access)
    {
        try
        {
            return await access;
        }
        catch (Exception failure) when (PostgresFailures.IsUnavailable(failure))
        {
            throw new StorageUnavailableException("Postgres can't be reached.", failure);
        }
    }
}
