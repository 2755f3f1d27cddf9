using AgentPlatform.Fakes.Postgres;

namespace AgentPlatform.Bench.Data;

/// <summary>
/// A server that was just made creates each segment of its write-ahead log when it is first needed, and every commit waits for that some 70 ms, once in two seconds under load.
/// One that has been up for a while uses segments again. What is measured is the second.
/// </summary>
public static class WriteAheadLog
{
    private const int Megabytes = 1000;

    /// <summary>Fills and recycles so many segments as the server's <c>min_wal_size</c> keeps. Nothing of it is in any table.</summary>
    public static async Task UseOnceAsync()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        await database.ExecuteAsAdminAsync($"SELECT count(pg_logical_emit_message(false, 'bench', repeat('x', 1000000))) FROM generate_series(1, {Megabytes})");
        await database.ExecuteAsAdminAsync("CHECKPOINT");
    }
}
