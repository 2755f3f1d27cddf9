using AgentPlatform.Data.Migrations;
using AgentPlatform.Fakes.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace AgentPlatform.Data.Tests.Migrations;

/// <summary>Moments that no date arithmetic can hold: what was stored of them is mended, and none comes in again.</summary>
public sealed class PossibleMomentsTests : IAsyncLifetime
{
    private const string Organization = "00000000-0000-0000-0000-000000000001";
    private const string Client = "00000000-0000-0000-0000-000000000002";

    private TestDatabase _database = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateEmptyAsync();
        await new Migrator(_database.DataOptions, NullLogger<Migrator>.Instance, [.. MigrationScript.Embedded().Where(script => string.CompareOrdinal(script.Name, "0124") < 0)]).MigrateAsync();
        await _database.ExecuteAsAdminAsync($$"""
            INSERT INTO organizations (id, name, slug) VALUES ('{{Organization}}', 'Acme', 'acme');
            INSERT INTO clients (id, organization_id, first_name, created_at, next_follow_up_date) VALUES
                ('{{Client}}', '{{Organization}}', 'Ann', '0001-01-01', 'infinity'), (gen_random_uuid(), '{{Organization}}', 'Bob', '1999-12-31', '2026-05-01');
            INSERT INTO deals (organization_id, client_id, name, stage, won_reason, actual_close_date, expected_close_date) VALUES
                ('{{Organization}}', '{{Client}}', 'Won', 'closed_won', 'price', 'infinity', '-infinity'), ('{{Organization}}', '{{Client}}', 'Open', 'proposal', NULL, NULL, '9999-12-31');
            WITH product AS (INSERT INTO products (organization_id, name, price, currency) VALUES ('{{Organization}}', 'Tour', 100.50, 'JPY') RETURNING id)
            INSERT INTO tours (organization_id, product_id, start_date, end_date, price, currency) SELECT '{{Organization}}', id, '0001-01-01 00:00Z', '0001-01-02 00:00Z', 99.99, 'JPY' FROM product;
            INSERT INTO orders (organization_id, client_id, order_number, items, tax, currency, order_date) VALUES
                ('{{Organization}}', '{{Client}}', '1', '[{"name": "a", "quantity": 3, "unitPrice": 33.35}]', 0.4, 'JPY', '9999-12-31'),
                ('{{Organization}}', '{{Client}}', '2', '[{"name": "a", "quantity": 3, "unitPrice": 1.15}]', 0.4, 'EUR', now());
            """);
        await new Migrator(_database.DataOptions, NullLogger<Migrator>.Instance).MigrateAsync();
    }

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Theory]
    [InlineData("SELECT string_agg(first_name || ' ' || (created_at AT TIME ZONE 'UTC')::date || ' ' || coalesce(next_follow_up_date::date::text, '-'), ', ' ORDER BY first_name) FROM clients", "Ann 1900-02-07 -, Bob 1999-12-31 2026-05-01")]
    [InlineData("SELECT string_agg(name || ' ' || coalesce(actual_close_date::text, '-') || ' ' || coalesce(expected_close_date::text, '-'), ', ' ORDER BY name) FROM deals", "Open - -, Won 2200-12-01 -")]
    [InlineData("SELECT (start_date < end_date AND extract(year FROM start_date) = 1900)::text FROM tours", "true")]
    [InlineData("SELECT price::text FROM tours", "100.000")]
    [InlineData("SELECT price::text FROM products", "101.000")]
    [InlineData("SELECT string_agg(order_number || ' ' || subtotal || ' ' || tax || ' ' || total, ', ' ORDER BY order_number) FROM orders", "1 100.000 0.000 100.000, 2 3.450 0.400 3.850")]
    public async Task What_was_stored_is_mended(string sql, string expected) => Assert.Equal(expected, await _database.ScalarAsAdminAsync<string>(sql));

    [Theory]
    [InlineData("UPDATE clients SET next_follow_up_date = 'infinity'")]
    [InlineData("UPDATE clients SET created_at = '0001-01-01'")]
    [InlineData("UPDATE deals SET expected_close_date = '9999-12-31'")]
    [InlineData("UPDATE deals SET expected_close_date = '1899-12-31'")]
    [InlineData("UPDATE orders SET order_date = '2201-01-01 00:00Z'")]
    public async Task None_comes_in_again(string sql) =>
        Assert.Equal("moments_are_possible", (await Assert.ThrowsAsync<PostgresException>(() => _database.ExecuteAsAdminAsync(sql))).ConstraintName);

    /// <summary>A table that is added later has the rule too.</summary>
    [Fact]
    public async Task Every_moment_of_an_organization_is_bounded() => Assert.Equal("", await _database.ScalarAsAdminAsync<string>("""
        SELECT coalesce(string_agg(c.relname || '.' || a.attname, ', '), '')
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.atttypid IN ('date'::regtype, 'timestamptz'::regtype) AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname NOT LIKE 'analytics\_%'
            AND (c.relname = 'organizations' OR EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = c.oid AND o.attname = 'organization_id' AND NOT o.attisdropped))
            AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c' AND pg_get_constraintdef(k.oid) LIKE '%is_possible(' || a.attname || ')%')
        """));
}
