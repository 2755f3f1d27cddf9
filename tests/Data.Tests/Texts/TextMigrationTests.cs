using AgentPlatform.Data.Migrations;
using AgentPlatform.Fakes.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace AgentPlatform.Data.Tests.Texts;

/// <summary>What was stored before texts were compared in one way is mended, and nothing that anybody needs is lost.</summary>
public sealed class TextMigrationTests : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateEmptyAsync();
        await new Migrator(_database.DataOptions, NullLogger<Migrator>.Instance, [.. MigrationScript.Embedded().Where(script => string.CompareOrdinal(script.Name, "0115") < 0)]).MigrateAsync();
        await _database.ExecuteAsAdminAsync("""
            INSERT INTO organizations (id, name, slug) VALUES ('00000000-0000-0000-0000-000000000001', E'\u200f\u2063', 'acme');
            INSERT INTO users (id, email, first_name, full_name) VALUES
                ('00000000-0000-0000-0000-00000000000a', 'ann@xn--mnchen-3ya.de', E'\u3164', 'Ann'), ('00000000-0000-0000-0000-00000000000b', E'jose\u0301@example.com', 'José', 'José'),
                ('00000000-0000-0000-0000-00000000000c', 'li@xn--fiqs8s.example', 'Li', 'Li');
            INSERT INTO channels (id, organization_id, name, platform) VALUES ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', E'Cafe\u0301', 'web');
            INSERT INTO keyword_actions (organization_id, channel_id, keyword, action_type) VALUES
                ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', 'Stop', 'ENABLE_AI'),
                ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', 'STOP.', 'DISABLE_AI'),
                ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', E'\u2068', 'DISABLE_AI'),
                ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', 'menu', 'ENABLE_AI');
            INSERT INTO agents (organization_id, name, created_at) VALUES
                ('00000000-0000-0000-0000-000000000001', 'Guide', now() - interval '1 day'), ('00000000-0000-0000-0000-000000000001', 'guide', now()), ('00000000-0000-0000-0000-000000000001', 'GUIDE (2)', now() - interval '2 days');
            INSERT INTO clients (organization_id, first_name, email, tags) VALUES
                ('00000000-0000-0000-0000-000000000001', 'One', 'Info@XN--mnchen-3ya.de', ARRAY[E'Cafe\u0301', 'vip']),
                ('00000000-0000-0000-0000-000000000001', E'\u200b', NULL, ARRAY['Café', E'Cafe\u0301', 'CAFÉ']);
            INSERT INTO partners (organization_id, name) VALUES ('00000000-0000-0000-0000-000000000001', E'Zu\u0308rich');
            """);
        await new Migrator(_database.DataOptions, NullLogger<Migrator>.Instance).MigrateAsync();
    }

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Theory]
    [InlineData("SELECT string_agg(keyword || ' ' || action_type, ', ' ORDER BY keyword) FROM keyword_actions", "STOP. DISABLE_AI, menu ENABLE_AI")]
    [InlineData("SELECT string_agg(name, ', ' ORDER BY created_at) FROM agents", "GUIDE (2), Guide, guide (3)")]
    [InlineData("SELECT count(*)::text FROM tags WHERE compared_name = comparable_text('café')", "1")]
    [InlineData("SELECT count(*)::text FROM clients, tags t WHERE t.compared_name = comparable_text('café') AND t.name = ANY (clients.tags)", "2")]
    [InlineData("SELECT sum(cardinality(tags))::text FROM clients", "3")]
    [InlineData("SELECT string_agg(email, ', ' ORDER BY id) FROM users", "ann@münchen.de, josé@example.com, li@中国.example")]
    [InlineData("SELECT compared_email FROM clients WHERE email IS NOT NULL", "info@münchen.de")]
    [InlineData("SELECT string_agg(coalesce(first_name, '-'), ', ' ORDER BY id) FROM users", "-, José, Li")]
    [InlineData("SELECT string_agg(coalesce(first_name, '-'), ', ' ORDER BY first_name) FROM clients", "One, -")]
    [InlineData("SELECT name FROM organizations", "– 00000000-0000-0000-0000-000000000001")]
    [InlineData("SELECT name FROM partners WHERE compared_name = comparable_text('zürich')", "Zürich")]
    [InlineData("SELECT count(*)::text FROM pg_constraint WHERE contype = 'c' AND pg_get_constraintdef(oid) LIKE '%btrim(%'", "0")]
    public async Task What_is_there_is_mended(string sql, string expected) => Assert.Equal(expected, await _database.ScalarAsAdminAsync<string>(sql));

    [Theory]
    [InlineData("organizations", "name", "\u200f\u2063")]
    [InlineData("channels", "name", "\u3164")]
    [InlineData("tags", "name", "\u00a0\ufeff")]
    [InlineData("keyword_actions", "keyword", "\u2068\u2069")]
    public async Task A_name_of_which_nothing_can_be_seen_is_refused_by_the_database(string table, string column, string blank)
    {
        var failure = await Assert.ThrowsAsync<PostgresException>(() => _database.ExecuteAsAdminAsync($"UPDATE {table} SET {column} = '{blank}'"));
        Assert.Equal(PostgresErrorCodes.CheckViolation, failure.SqlState);
    }
}
