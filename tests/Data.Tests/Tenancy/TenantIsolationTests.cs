using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using AgentPlatform.Fakes.Postgres;
using Npgsql;

namespace AgentPlatform.Data.Tests.Tenancy;

/// <summary>Two organizations' notes in one table that was bound by <c>enable_tenant_isolation</c>.</summary>
public sealed class TenantIsolationTests : IAsyncLifetime
{
    private static readonly Guid Ours = Guid.Parse("019b0000-0000-7000-8000-000000000001");
    private static readonly Guid Theirs = Guid.Parse("019b0000-0000-7000-8000-000000000002");

    private TestDatabase _database = null!;
    private ApiDataSource _api = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _api = new ApiDataSource(_database.DataOptions);
        await _database.ExecuteAsAdminAsync(
            $"""
            set role agentplatform_migrator;
            create table probe_notes (organization_id uuid not null, text text not null);
            select enable_tenant_isolation('probe_notes');
            create table probe_unbound (organization_id uuid not null);
            insert into probe_notes values ('{Ours}', 'ours'), ('{Theirs}', 'theirs');
            """);
    }

    public async Task DisposeAsync()
    {
        await _api.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task A_session_sees_its_own_organization_only()
    {
        await using var session = await TenantSession.OpenAsync(_api, new Tenant(Ours));

        Assert.Equal(1L, await session.ScalarAsync<long>("select count(*) from probe_notes", default));
        Assert.Equal("ours", await session.ScalarAsync<string>("select text from probe_notes", default));
    }

    [Fact]
    public async Task Without_a_session_nothing_is_seen()
    {
        await using var command = _api.CreateCommand("select count(*) from probe_notes");

        Assert.Equal(0L, await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task An_empty_setting_shows_nothing()
    {
        await using var connection = await _api.OpenConnectionAsync();
        await ExecuteAsync(connection, "select set_config('app.current_organization_id', '', false)");

        Assert.Equal(0L, await ScalarAsync(connection, "select count(*) from probe_notes"));
    }

    [Fact]
    public async Task A_setting_that_is_no_id_is_an_error_rather_than_a_view()
    {
        await using var connection = await _api.OpenConnectionAsync();
        await ExecuteAsync(connection, "select set_config('app.current_organization_id', 'or 1=1', false)");

        var failure = await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(connection, "select count(*) from probe_notes"));

        Assert.Equal(PostgresErrorCodes.InvalidTextRepresentation, failure.SqlState);
    }

    [Fact]
    public async Task A_foreign_row_can_be_neither_changed_nor_deleted_nor_made()
    {
        await using (var session = await TenantSession.OpenAsync(_api, new Tenant(Ours)))
        {
            Assert.Equal(0, await session.ExecuteAsync("update probe_notes set text = 'taken' where organization_id = $1", default, Theirs));
            Assert.Equal(0, await session.ExecuteAsync("delete from probe_notes where organization_id = $1", default, Theirs));
            var failure = await Assert.ThrowsAsync<PostgresException>(() => session.ExecuteAsync("insert into probe_notes values ($1, 'planted')", default, Theirs));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, failure.SqlState);
        }

        await using (var session = await TenantSession.OpenAsync(_api, new Tenant(Ours)))
        {
            var failure = await Assert.ThrowsAsync<PostgresException>(() => session.ExecuteAsync("update probe_notes set organization_id = $1", default, Theirs));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, failure.SqlState);
        }

        Assert.Equal("theirs", await _database.ScalarAsAdminAsync<string>($"select string_agg(text, ',') from probe_notes where organization_id = '{Theirs}'"));
    }

    [Fact]
    public async Task The_next_user_of_a_pooled_connection_begins_without_an_organization()
    {
        await using var single = new ApiDataSource(_database.DataOptions with { ApiConnectionString = _database.ApiConnectionString + ";Maximum Pool Size=1" });
        await using (var session = await TenantSession.OpenAsync(single, new Tenant(Ours)))
        {
            Assert.Equal(1L, await session.ScalarAsync<long>("select count(*) from probe_notes", default));
            await session.CommitAsync();
        }

        await using (var reader = await TenantSession.ReadAsync(single, new Tenant(Ours), "select text from probe_notes", default))
        {
            Assert.True(await reader.ReadAsync());
        }

        await using var command = single.CreateCommand("select count(*) from probe_notes");
        Assert.Equal(0L, await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task The_engine_sees_and_writes_across_organizations()
    {
        await using var engine = new EngineDataSource(_database.DataOptions);
        await using var command = engine.CreateCommand("update probe_notes set text = upper(text)");

        Assert.Equal(2, await command.ExecuteNonQueryAsync());
    }

    [Theory]
    [InlineData("set role agentplatform_engine")]
    [InlineData("set role agentplatform_migrator")]
    [InlineData("alter table probe_notes disable row level security")]
    [InlineData("alter table probe_notes no force row level security")]
    [InlineData("drop policy tenant_isolation on probe_notes")]
    [InlineData("create policy mine on probe_notes for all to agentplatform_api using (true)")]
    [InlineData("alter role agentplatform_api bypassrls")]
    [InlineData("set session_replication_role = replica")]
    [InlineData("truncate probe_notes")]
    [InlineData("create table mine (id int)")]
    [InlineData("create or replace function public.current_organization_id() returns uuid language sql as 'select null::uuid'")]
    [InlineData("select * from probe_unbound")]
    [InlineData("select * from schema_migrations")]
    public async Task The_api_role_has_no_way_around_its_policies(string statement)
    {
        await using var connection = await _api.OpenConnectionAsync();

        var failure = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(connection, statement));

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, failure.SqlState);
    }

    [Fact]
    public async Task Switching_row_security_off_is_an_error_rather_than_a_view()
    {
        await using var connection = await _api.OpenConnectionAsync();
        await ExecuteAsync(connection, "set row_security = off");

        await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(connection, "select count(*) from probe_notes"));
    }

    [Fact]
    public async Task No_application_role_is_superuser_or_bypasses_row_security() =>
        Assert.Equal(0L, await _database.ScalarAsAdminAsync<long>("select count(*) from pg_roles where rolname like 'agentplatform\\_%' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)"));

    [Fact]
    public async Task Every_table_with_an_organization_is_bound_and_forced()
    {
        await _database.ExecuteAsAdminAsync("drop table probe_unbound");

        Assert.Null(await _database.ScalarAsAdminAsync<string>(
            """
            select string_agg(c.relname, ', ')
            from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
              and not (c.relrowsecurity and c.relforcerowsecurity)
            """));
    }

    [Fact]
    public async Task A_statement_for_a_tenant_evaluates_the_policy_once_and_not_for_each_row()
    {
        await using var session = await TenantSession.OpenAsync(_api, new Tenant(Ours));
        var plan = new List<string>();
        await using var reader = await session.QueryAsync("explain select * from probe_notes", default);
        while (await reader.ReadAsync())
        {
            plan.Add(reader.GetString(0));
        }

        Assert.Contains(plan, line => line.Contains("InitPlan", StringComparison.Ordinal));
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
