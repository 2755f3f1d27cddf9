using AgentPlatform.Api.Tests.TestApp;
using Npgsql;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>The same in SQL, as the API's role: for every table, with the setting unset, empty, wrong, and another organization's.</summary>
public sealed class RowSecurityTests(EngineApp app) : IClassFixture<EngineApp>
{
    [Fact]
    public async Task No_table_shows_or_takes_rows_of_an_organization_that_the_transaction_is_not_bound_to()
    {
        var victim = await PopulatedOrganization.Create(app);
        var stranger = await app.NewOrganization();
        var before = await TenantRows.Fingerprint(app, victim.Organization.Id);
        string?[] settings = [null, "", "not a uuid", Guid.NewGuid().ToString(), stranger.Id.ToString()];
        var seen = 0;
        foreach (var table in await TenantRows.Tables(app))
        {
            var row = await OneRow(table, victim.Organization.Id);
            var columns = await GivenColumns(table);
            seen += row is null ? 0 : 1;
            foreach (var setting in settings)
            {
                await Refused($"SELECT count(*) FROM {table} WHERE organization_id = '{victim.Organization.Id}'", setting, table);
                await Refused($"WITH gone AS (DELETE FROM {table} WHERE organization_id = '{victim.Organization.Id}' RETURNING 1) SELECT count(*) FROM gone", setting, table);
                await Refused($"WITH moved AS (UPDATE {table} SET organization_id = organization_id WHERE organization_id = '{victim.Organization.Id}' RETURNING 1) SELECT count(*) FROM moved", setting, table);
                if (row is not null)
                {
                    await Refused($"WITH made AS (INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, '{row}') RETURNING 1) SELECT count(*) FROM made", setting, table);
                }
            }
        }
        Assert.True(seen > 15, $"Only {seen} tables had a row to try.");
        Assert.Equal(before, await TenantRows.Fingerprint(app, victim.Organization.Id));
    }

    [Fact]
    public async Task Every_table_with_an_organization_is_bound_even_for_its_owner()
    {
        var unbound = await app.Database.ScalarAsAdminAsync<string>(
            """
            SELECT string_agg(c.relname, ', ') FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
            WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
            """);
        Assert.Null(unbound);
    }

    [Fact]
    public async Task Password_hashes_and_sessions_are_out_of_reach()
    {
        var organization = await app.NewOrganization();
        foreach (var sql in new[] { "SELECT count(password_hash) FROM users", "SELECT count(*) FROM user_sessions", "SELECT count(*) FROM sign_in_failures" })
        {
            await Refused(sql, organization.Id.ToString(), sql);
        }
    }

    /// <summary>Zero rows, or an error; never a row.</summary>
    private async Task Refused(string sql, string? setting, string what)
    {
        await using var connection = new NpgsqlConnection(app.Database.ApiConnectionString);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        if (setting is not null)
        {
            await using var bind = new NpgsqlCommand("SELECT set_config('app.current_organization_id', $1, true)", connection, transaction) { Parameters = { new() { Value = setting } } };
            await bind.ExecuteNonQueryAsync();
        }
        await using var command = new NpgsqlCommand(sql, connection, transaction);
        try
        {
            Assert.True((long)(await command.ExecuteScalarAsync())! == 0, $"{what}, bound to '{setting}': {sql}");
        }
        catch (PostgresException failure)
        {
            Assert.True(failure.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.InvalidTextRepresentation, $"{what}, bound to '{setting}': {failure.Message}");
        }
    }

    /// <summary>Columns that a statement may give: the others are computed.</summary>
    private Task<string?> GivenColumns(string table) => app.Database.ScalarAsAdminAsync<string>(
        $"SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity <> 'a'");

    private async Task<string?> OneRow(string table, Guid organizationId)
    {
        await using var connection = new NpgsqlConnection(app.Database.AdminConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"SELECT to_jsonb(t)::text FROM {table} t WHERE organization_id = $1 LIMIT 1", connection) { Parameters = { new() { Value = organizationId } } };
        return (await command.ExecuteScalarAsync() as string)?.Replace("'", "''", StringComparison.Ordinal);
    }
}
