using AgentPlatform.Api.Tests.TestApp;
using Npgsql;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>
/// Fills the tables that grow with use: a large organization and a small one in each. Each statement is a transaction of its own, since a long one that writes
/// would hold back the live events of the tests beside it.
/// </summary>
internal static class FilledDatabase
{
    /// <summary>Rows of the large organization in each large table; the small one, which asks, has a hundredth.</summary>
    public const int Rows = 5_000;

    /// <summary>Rows that are added to each of the other tables, each row another organization's.</summary>
    public const int Copies = 2_000;

    /// <summary>Tables that stay small however much an installation is used.</summary>
    private static readonly string[] NotCopied = ["engine_instances", "pricing_plans"];

    /// <summary>Fills the tables of conversations and customers.</summary>
    public static async Task Fill(ApiApp app, TestOrganization small)
    {
        await FillOne(app, await app.NewOrganization(), Rows);
        await FillOne(app, small, Rows / 100);
    }

    /// <summary>Gives an organization so many conversations and customers.</summary>
    public static async Task FillOne(ApiApp app, TestOrganization organization, int rows)
    {
        await using var connection = await Open(app);
        await Run(connection, [.. Statements(organization, rows, rows < Rows ? "small" : "large"), "ANALYZE"]);
    }

    /// <summary>Copies one row of each table that <see cref="Fill"/> leaves alone.</summary>
    public static async Task Copy(ApiApp app)
    {
        await using var connection = await Open(app);
        var statements = new List<string>();
        await using (var command = new NpgsqlCommand(Copying, connection) { Parameters = { new() { Value = NotCopied }, new() { Value = Copies } } })
        await using (var row = await command.ExecuteReaderAsync())
        {
            while (await row.ReadAsync())
            {
                statements.Add(row.GetString(0));
            }
        }
        await Run(connection, [.. statements, "ANALYZE"]);
    }

    /// <summary>
    /// An INSERT for each small table: with new ids, so that each copy is another organization's; what is due is due one day, so that nothing takes the copies up; what
    /// must be unique by itself is numbered.
    /// </summary>
    private const string Copying = """
        SELECT format('INSERT INTO %1$I (%2$s) SELECT %3$s FROM (SELECT * FROM %1$I LIMIT 1) r, generate_series(1, %4$s) n', c.relname, string_agg(quote_ident(a.attname), ', '), string_agg(
            CASE
                WHEN a.atttypid = 'uuid'::regtype THEN format('CASE WHEN r.%I IS NOT NULL THEN gen_random_uuid() END', a.attname)
                WHEN a.attname = 'due_at' THEN quote_literal('2099-01-01Z') || '::timestamptz'
                WHEN u.alone AND a.atttypid = 'text'::regtype THEN format('r.%I || n', a.attname)
                WHEN u.alone AND a.atttypid IN ('integer'::regtype, 'bigint'::regtype) THEN format('r.%I + n', a.attname)
                WHEN u.alone AND a.atttypid = 'bytea'::regtype THEN format('CASE WHEN r.%I IS NOT NULL THEN sha256(n::text::bytea) END', a.attname)
                ELSE format('r.%I', a.attname)
            END, ', '), $2)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        CROSS JOIN LATERAL (SELECT EXISTS (
            SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey::smallint[])
                AND NOT EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = c.oid AND o.attnum = ANY (i.indkey::smallint[]) AND o.atttypid = 'uuid'::regtype))
            AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c' AND a.attnum = ANY (k.conkey) AND pg_get_constraintdef(k.oid) LIKE '%ANY (ARRAY[%') AS alone) u
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.reltuples < $2 AND c.relname <> ALL ($1) AND c.relname NOT LIKE 'orleans%'
            AND EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = c.oid AND o.atttypid = 'uuid'::regtype)
        GROUP BY c.relname
        """;

    /// <summary>A connection for which neither triggers nor references count.</summary>
    private static async Task<NpgsqlConnection> Open(ApiApp app)
    {
        var connection = new NpgsqlConnection(app.Database.AdminConnectionString);
        await connection.OpenAsync();
        await Run(connection, ["SET session_replication_role = replica"]);
        return connection;
    }

    private static async Task Run(NpgsqlConnection connection, IEnumerable<string> statements)
    {
        foreach (var statement in statements)
        {
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync();
        }
    }

    private static IEnumerable<string> Statements(TestOrganization organization, int rows, string word) =>
    [
        "DROP TABLE IF EXISTS ids, channel",
        $"""
            CREATE TEMP TABLE ids AS SELECT n, gen_random_uuid() AS client, gen_random_uuid() AS contact, gen_random_uuid() AS conversation, gen_random_uuid() AS deal, gen_random_uuid() AS message FROM generate_series(1, {rows}) n
            """,
        """
            CREATE TEMP TABLE channel AS SELECT gen_random_uuid() AS id
            """,
        $"""
            INSERT INTO channels (id, organization_id, name, platform) SELECT id, '{organization.Id}', '{word}', 'web' FROM channel
            """,
        $"""
            INSERT INTO clients (id, organization_id, contact_id, first_name, phone, source, created_at)
            SELECT client, '{organization.Id}', contact, 'Client ' || n, '+1557' || lpad(n::text, 7, '0'), 'web', now() - n * interval '1 minute' FROM ids
            """,
        $"""
            INSERT INTO contacts (id, organization_id, channel_id, client_id, platform, platform_user_id, first_identity, name, created_at)
            SELECT contact, '{organization.Id}', channel.id, client, 'web', n::text, n::text, 'Contact ' || n, now() - n * interval '1 minute' FROM ids, channel
            """,
        $"""
            INSERT INTO contact_identities (channel_id, identity, contact_id, organization_id)
            SELECT channel.id, n::text, contact, '{organization.Id}' FROM ids, channel
            """,
        $"""
            INSERT INTO conversations (id, organization_id, channel_id, contact_id, client_id, last_message_at)
            SELECT conversation, '{organization.Id}', channel.id, contact, client, now() - n * interval '1 minute' FROM ids, channel
            """,
        $"""
            INSERT INTO messages (id, organization_id, conversation_id, channel_id, contact_id, sequence, direction, sender_type, status, text_content)
            SELECT message, '{organization.Id}', conversation, channel.id, contact, 1, 'inbound', 'user', 'received', 'Hello ' || n FROM ids, channel
            """,
        $"""
            INSERT INTO message_search (message_id, organization_id, conversation_id, search)
            SELECT message, '{organization.Id}', conversation, to_tsvector('simple', 'Hello ' || n) || to_tsvector('simple', organization_word('{organization.Id}')) FROM ids
            """,
        $"""
            INSERT INTO message_search_positions (organization_id, changed_in, message_id) VALUES ('{organization.Id}', pg_current_xact_id(), 'ffffffff-ffff-ffff-ffff-ffffffffffff') ON CONFLICT DO NOTHING
            """,
        $"""
            INSERT INTO turns (id, organization_id, conversation_id, state, epoch, first_sequence, last_sequence, due_at, finished_at)
            SELECT gen_random_uuid(), '{organization.Id}', conversation, 'completed', 0, 1, 1, now(), now() FROM ids
            """,
        $"""
            INSERT INTO activity_logs (organization_id, action_type, entity_type, entity_id, created_at)
            SELECT '{organization.Id}', 'client.updated', 'client', client, now() - n * interval '1 minute' FROM ids
            """,
        $"""
            INSERT INTO client_status_history (organization_id, client_id, new_status, changed_by)
            SELECT '{organization.Id}', client, 'qualified', 'system' FROM ids
            """,
        $"""
            INSERT INTO deals (id, organization_id, client_id, name, probability, created_at)
            SELECT deal, '{organization.Id}', client, 'Deal ' || n, 10, now() - n * interval '1 minute' FROM ids
            """,
        $"""
            INSERT INTO orders (organization_id, client_id, order_number, created_at)
            SELECT '{organization.Id}', client, 'N' || n, now() - n * interval '1 minute' FROM ids
            """,
        $"""
            INSERT INTO activities (organization_id, client_id, activity_type, subject, created_at)
            SELECT '{organization.Id}', client, 'call', 'Call ' || n, now() - n * interval '1 minute' FROM ids
            """,
        $"""
            INSERT INTO notes (organization_id, client_id, content, created_at)
            SELECT '{organization.Id}', client, 'Note ' || n, now() - n * interval '1 minute' FROM ids
            """,
    ];
}
