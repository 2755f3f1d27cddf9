using AgentPlatform.Fakes.Postgres;

namespace AgentPlatform.Data.Tests.Migrations;

public sealed class IndexTests : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync();

    public async Task DisposeAsync() => await _database.DisposeAsync();

    /// <summary>Whatever is deleted looks for what refers to it, by the referring column alone: an index has to begin with it and hold every row that has a value there.</summary>
    [Fact]
    public async Task Every_reference_can_be_followed_back_by_an_index() =>
        Assert.Null(await _database.ScalarAsAdminAsync<string>(
            """
            SELECT string_agg(k.conrelid::regclass || ' ' || k.conname, ', ' ORDER BY k.conrelid::regclass::text, k.conname)
            FROM pg_constraint k
            WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace AND NOT EXISTS (
                SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                WHERE i.indrelid = k.conrelid AND m.amname = 'btree' AND i.indkey[0] = ANY (k.conkey)
                    AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', a.attname)))
            """));

    /// <summary>Every search reads the whole of a GIN index's pending list, which one organization's changes fill: none has the server's 4 MB.</summary>
    [Fact]
    public async Task No_search_reads_much_of_what_others_have_just_written() =>
        Assert.Null(await _database.ScalarAsAdminAsync<string>(
            """
            SELECT string_agg(c.relname, ', ' ORDER BY c.relname)
            FROM pg_class c JOIN pg_am m ON m.oid = c.relam
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'i' AND m.amname = 'gin' AND NOT 'gin_pending_list_limit=256' = ANY (coalesce(c.reloptions, '{}'))
            """));
}
