using AgentPlatform.Contacts;
using AgentPlatform.Conversations;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Grains.Tests.Conversations;
using AgentPlatform.Jobs;
using Npgsql;

namespace AgentPlatform.Grains.Tests.Hosting;

/// <summary>The driver's exceptions can't travel from one process to another: what the API calls says in its own words that the database is away.</summary>
public sealed class StorageAwayTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private TestSilo _silo = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _silo = await TestSilo.Start(_database);
        await Connections(0);
    }

    public async Task DisposeAsync()
    {
        await Connections(-1);
        await _silo.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public Task Switching_the_AI_of_a_contact() =>
        Assert.ThrowsAsync<StorageUnavailableException>(() => _silo.Grains.GetGrain<IContactGrain>(Guid.NewGuid()).SetAiEnabled(false, new Actor { OrganizationId = Samples.Organization }));

    [Fact]
    public Task Cancelling_a_job() => Assert.ThrowsAsync<StorageUnavailableException>(() => _silo.Grains.GetGrain<IJobGrain>(Guid.NewGuid()).Cancel());

    [Fact]
    public Task Receiving_a_message() => Assert.ThrowsAsync<StorageUnavailableException>(() => _silo.Conversation("4917").Receive(TestSilo.From("4917", Samples.Text("hello"))));

    /// <summary>How many connections the database allows to those who are no administrators, from now on.</summary>
    private async Task Connections(int most)
    {
        await using var connection = new NpgsqlConnection(_database.AdminConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"""
            DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT {most}', current_database()); END $$;
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
            """, connection);
        await command.ExecuteNonQueryAsync();
    }
}
