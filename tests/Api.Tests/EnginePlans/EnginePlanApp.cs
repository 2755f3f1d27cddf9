using AgentPlatform.Api.Tests.EveryRoute;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Fakes.Llm;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace AgentPlatform.Api.Tests.EnginePlans;

/// <summary>The product on a database that tells its plans, with a model to ask and a job that meets whatever a job can meet.</summary>
public sealed class EnginePlanApp : PlanApp
{
    public FakeModelServer Model { get; private set; } = null!;

    protected override async Task OpenDatabase()
    {
        Model = await FakeModelServer.StartAsync();
        await base.OpenDatabase();
    }

    protected override async Task CloseDatabase()
    {
        await base.CloseDatabase();
        await Model.DisposeAsync();
    }

    protected override void Configure(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IJobWork, UnluckyWork>();
        base.Configure(builder);
    }

    /// <summary>Everything as after a restart of the server that nobody has counted rows for since: what was counted is forgotten, and nothing counts again.</summary>
    public Task ForgetCounts() => Database.ExecuteAsAdminAsync("""
        DO $$ DECLARE t text; BEGIN
            FOR t IN SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind IN ('r', 'm') AND c.relnamespace = 'public'::regnamespace LOOP
                EXECUTE format('ALTER %s %s SET (autovacuum_enabled = false)', CASE WHEN (SELECT relkind FROM pg_class WHERE oid = t::regclass) = 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, t);
            END LOOP;
        END $$;
        DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace);
        UPDATE pg_class SET reltuples = -1, relpages = 0, relallvisible = 0 WHERE relkind IN ('r', 'm', 'i') AND relnamespace = 'public'::regnamespace
        """);

    /// <summary>From the next statement on, plans are made for whatever values may come, or for those that came.</summary>
    public async Task Plan(string mode)
    {
        await Database.ExecuteAsAdminAsync($"ALTER DATABASE {new NpgsqlConnectionStringBuilder(Database.AdminConnectionString).Database} SET plan_cache_mode = {mode}");
        Services.GetRequiredService<EngineDataSource>().Source.Clear();
    }

    /// <summary>First the database is away for a moment; then it waits until somebody stops it.</summary>
    private sealed class UnluckyWork : IJobWork
    {
        private int _runs;

        public string Name => EngineFlows.UnluckyWork;

        public async Task<string?> Run(JobRun run, CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _runs) % 2 == 1)
            {
                throw new NpgsqlException("away", new TimeoutException());
            }
            EngineFlows.IsUnderWay.Release();
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return null;
        }
    }
}
