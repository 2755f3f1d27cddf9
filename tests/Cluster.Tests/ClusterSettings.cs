using AgentPlatform.Fakes.Postgres;
using Orleans.Configuration;

namespace AgentPlatform.Cluster.Tests;

/// <summary>What the silos of all cluster tests have in common: storage in the database, and impatience.</summary>
internal static class ClusterSettings
{
    public static ISiloBuilder AddTestSettings(this ISiloBuilder silo, TestDatabase database)
    {
        silo.UseSystemTextJsonGrainStorageSerializer();
        silo.AddAdoNetGrainStorageAsDefault(options =>
        {
            options.Invariant = "Npgsql";
            options.ConnectionString = database.EngineConnectionString;
        });
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            options.ProbeTimeout = TimeSpan.FromSeconds(1);
            options.NumMissedProbesLimit = 2;
            options.NumVotesForDeathDeclaration = 1;
            options.TableRefreshTimeout = TimeSpan.FromSeconds(2);
        });
        silo.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(4));
        return silo;
    }
}
