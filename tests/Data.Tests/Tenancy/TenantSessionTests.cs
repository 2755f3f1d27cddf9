using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using AgentPlatform.Fakes.Postgres;
using Npgsql;

namespace AgentPlatform.Data.Tests.Tenancy;

public sealed class TenantSessionTests : IAsyncLifetime
{
    private static readonly Tenant Someone = new(Guid.NewGuid(), Guid.NewGuid(), "manager");

    private TestDatabase _database = null!;
    private ApiDataSource _api = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _api = new ApiDataSource(_database.DataOptions);
        await _database.ExecuteAsAdminAsync(
            """
            set role agentplatform_migrator;
            create table probe_notes (organization_id uuid not null default current_organization_id(), text text);
            select enable_tenant_isolation('probe_notes');
            """);
    }

    public async Task DisposeAsync()
    {
        await _api.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Organization_person_and_role_are_known_in_the_transaction()
    {
        await using var session = await TenantSession.OpenAsync(_api, Someone);
        await using var reader = await session.QueryAsync("select current_organization_id(), current_user_id(), current_member_role(), session_user::text", default);

        Assert.True(await reader.ReadAsync());
        Assert.Equal(Someone.OrganizationId, reader.GetGuid(0));
        Assert.Equal(Someone.UserId, reader.GetGuid(1));
        Assert.Equal("manager", reader.GetString(2));
        Assert.Equal("agentplatform_api", reader.GetString(3));
    }

    [Fact]
    public async Task A_key_without_a_person_has_no_user_and_no_role()
    {
        await using var session = await TenantSession.OpenAsync(_api, new Tenant(Someone.OrganizationId));

        Assert.True(await session.ScalarAsync<bool>("select current_user_id() is null and current_member_role() is null", default));
    }

    [Fact]
    public async Task What_is_committed_stays()
    {
        await using (var session = await TenantSession.OpenAsync(_api, Someone))
        {
            Assert.Equal(1, await session.ExecuteAsync("insert into probe_notes (text) values ($1)", default, "kept"));
            Assert.Equal(1, await session.ExecuteAsync("insert into probe_notes (text) values ($1)", default, (object?)null));
            await session.CommitAsync();
        }

        Assert.Equal(2L, await _database.ScalarAsAdminAsync<long>("select count(*) from probe_notes"));
    }

    [Fact]
    public async Task What_is_not_committed_is_gone()
    {
        await using (var session = await TenantSession.OpenAsync(_api, Someone))
        {
            await session.ExecuteAsync("insert into probe_notes (text) values ('lost')", default);
        }

        Assert.Equal(0L, await _database.ScalarAsAdminAsync<long>("select count(*) from probe_notes"));
    }

    [Fact]
    public async Task A_batch_of_several_statements_begins_with_the_binding_unseen()
    {
        await using var session = await TenantSession.OpenAsync(_api, Someone);
        await using var batch = session.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("insert into probe_notes (text) values ('a') returning text"));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("select count(*) from probe_notes"));
        await using var reader = await batch.ExecuteReaderAsync();

        Assert.True(await reader.ReadAsync());
        Assert.Equal("a", reader.GetString(0));
        Assert.True(await reader.NextResultAsync());
        Assert.True(await reader.ReadAsync());
        Assert.Equal(1L, reader.GetInt64(0));
        Assert.False(await reader.NextResultAsync());
    }

    [Fact]
    public async Task A_single_read_is_bound_as_well_and_gives_its_connection_back()
    {
        await using var single = new ApiDataSource(_database.DataOptions with { ApiConnectionString = _database.ApiConnectionString + ";Maximum Pool Size=1" });
        for (var i = 0; i < 5; i++)
        {
            await using var reader = await TenantSession.ReadAsync(single, Someone, "select current_organization_id()", default);
            Assert.True(await reader.ReadAsync());
            Assert.Equal(Someone.OrganizationId, reader.GetGuid(0));
        }
    }

    [Fact]
    public async Task A_failed_statement_gives_the_connection_back()
    {
        await using var single = new ApiDataSource(_database.DataOptions with { ApiConnectionString = _database.ApiConnectionString + ";Maximum Pool Size=1" });
        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<PostgresException>(() => TenantSession.ReadAsync(single, Someone, "select no_such_column", default));
            await using var session = await TenantSession.OpenAsync(single, Someone);
            await Assert.ThrowsAsync<PostgresException>(() => session.ExecuteAsync("select no_such_column", default));
        }
    }

    [Fact]
    public async Task Concurrent_sessions_of_many_organizations_never_mix()
    {
        var tenants = Enumerable.Range(0, 20).Select(_ => new Tenant(Guid.NewGuid())).ToList();

        await Parallel.ForEachAsync(Enumerable.Range(0, 400), async (i, cancellationToken) =>
        {
            var tenant = tenants[i % tenants.Count];
            await using var session = await TenantSession.OpenAsync(_api, tenant, cancellationToken);
            await session.ExecuteAsync("insert into probe_notes (text) values ('x')", cancellationToken);
            Assert.Equal(0L, await session.ScalarAsync<long>("select count(*) from probe_notes where organization_id <> $1", cancellationToken, tenant.OrganizationId));
            await session.CommitAsync(cancellationToken);
        });

        Assert.Equal(20L, await _database.ScalarAsAdminAsync<long>("select count(*) from (select from probe_notes group by organization_id having count(*) = 20) full_ones"));
    }
}
