namespace AgentPlatform.Cluster.Tests.Embedded;

public sealed class NoClusterTests
{
    [Fact(Skip = "NOT TESTED HERE: several silos, one killed under traffic, one added. This build has the embedded runtime, which is one process; "
        + "the cluster tests need the Orleans packages (OrleansRuntime=packages), which the package registry of this machine doesn't have.")]
    public void Clusters_need_the_Orleans_packages()
    {
    }
}
