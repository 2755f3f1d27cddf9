using System.Text.RegularExpressions;
using AgentPlatform.Data.Connections;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Grains.Agents;
using Npgsql;

namespace AgentPlatform.Grains.Tests.Agents;

/// <summary>What each turn reads is read by the key of the conversation, whatever Postgres knows or doesn't know about the tables when it plans.</summary>
public sealed class ConversationContextPlanTests : IAsyncLifetime
{
    /// <summary>A day's messages of one organization, in conversations of a few messages.</summary>
    private const int Messages = 50_000;

    private TestDatabase _database = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        // Autovacuum is not to count the rows meanwhile.
        await _database.ExecuteAsAdminAsync($"""
            ALTER TABLE messages SET (autovacuum_enabled = false);
            ALTER TABLE turns SET (autovacuum_enabled = false);
            SET session_replication_role = replica;
            INSERT INTO messages (id, organization_id, conversation_id, channel_id, contact_id, sequence, direction, sender_type, status, text_content)
            SELECT gen_random_uuid(), '{Guid.Empty}', md5((n / 10)::text)::uuid, '{Guid.Empty}', md5((n / 10)::text)::uuid, n % 10, 'inbound', 'user', 'received', 'Good day'
            FROM generate_series(1, {Messages}) n;
            INSERT INTO turns (id, organization_id, conversation_id, state, epoch, first_sequence, last_sequence, due_at)
            SELECT gen_random_uuid(), '{Guid.Empty}', md5((n / 10)::text)::uuid, 'completed', 0, n % 10, n % 10, now() FROM generate_series(1, {Messages}) n;
            """);
    }

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_turn_reads_its_conversation_by_one_index_of_each_table(bool areCounted)
    {
        if (areCounted)
        {
            await _database.ExecuteAsAdminAsync("ANALYZE messages, turns");
        }
        Assert.Equal(["message_sequence_is_unique"], await Indexes(ConversationContextReader.MessagesSql, "uuid, uuid, bigint, bigint"));
        Assert.Equal(["clients_pkey", "contacts_pkey", "turns_by_conversation"], await Indexes(await BodyOf("customer_of_turn"), "uuid, uuid, uuid, uuid"));
    }

    /// <summary>The query that a function returns.</summary>
    private async Task<string> BodyOf(string function) =>
        Regex.Match(await _database.ScalarAsAdminAsync<string>($"SELECT prosrc FROM pg_proc WHERE proname = '{function}'") ?? "", @"RETURN QUERY(.*?);\s*END", RegexOptions.Singleline).Groups[1].Value;

    /// <summary>The indexes of the plan that a connection of the engine keeps for a statement.</summary>
    private async Task<IEnumerable<string>> Indexes(string statement, string types)
    {
        await using var source = new EngineDataSource(_database.DataOptions);
        await using var connection = await source.OpenConnectionAsync();
        await using (var prepare = new NpgsqlCommand($"PREPARE kept ({types}) AS {statement}; SET plan_cache_mode = force_generic_plan", connection))
        {
            await prepare.ExecuteNonQueryAsync();
        }
        var values = types.Split(", ").Select(type => type == "uuid" ? $"'{Guid.Empty}'" : "1");
        await using var explain = new NpgsqlCommand($"EXPLAIN EXECUTE kept ({string.Join(", ", values)})", connection);
        await using var lines = await explain.ExecuteReaderAsync();
        var plan = new List<string>();
        while (await lines.ReadAsync())
        {
            plan.Add(lines.GetString(0));
        }
        Assert.DoesNotContain(plan, line => line.Contains("Seq Scan", StringComparison.Ordinal));
        return plan.Select(line => Regex.Match(line, "(?:using|Bitmap Index Scan on) ([a-z_]+)")).Where(match => match.Success).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal);
    }
}
