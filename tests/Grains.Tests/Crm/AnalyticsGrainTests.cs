using AgentPlatform.Crm;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Grains.Tests.Conversations;
using AgentPlatform.Grains.Tests.Hosting;

namespace AgentPlatform.Grains.Tests.Crm;

public sealed class AnalyticsGrainTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private TestSilo _silo = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _silo = await TestSilo.Start(_database);
    }

    public async Task DisposeAsync()
    {
        await _silo.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task It_brings_the_numbers_up_to_date()
    {
        await _database.ExecuteAsAdminAsync($"INSERT INTO clients (organization_id, first_name) VALUES ('{Samples.Organization}', 'Anna')");
        Assert.Equal(0L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM analytics_client_metrics"));
        await _silo.Grains.GetGrain<IAnalyticsGrain>(0).Refresh();
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>("SELECT client_count FROM analytics_client_metrics"));
    }

    [Fact]
    public async Task Its_reminder_refreshes_without_being_waited_for_and_survives_a_failure()
    {
        var reminded = _silo.Grains.GetGrain<IAnalyticsGrain>(0).AsReference<IRemindable>();
        await _database.ExecuteAsAdminAsync("ALTER FUNCTION refresh_all_analytics() RENAME TO refresh_elsewhere");
        await reminded.ReceiveReminder("refresh", default);
        await _database.ExecuteAsAdminAsync($"ALTER FUNCTION refresh_elsewhere() RENAME TO refresh_all_analytics; INSERT INTO clients (organization_id, first_name) VALUES ('{Samples.Organization}', 'Anna')");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM analytics_client_metrics") == 0)
        {
            patience.Token.ThrowIfCancellationRequested();
            await reminded.ReceiveReminder("refresh", default);
        }
    }
}
