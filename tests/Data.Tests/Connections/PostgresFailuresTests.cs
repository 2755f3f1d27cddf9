using System.Net.Sockets;
using AgentPlatform.Data.Connections;
using AgentPlatform.Fakes.Postgres;
using Npgsql;

namespace AgentPlatform.Data.Tests.Connections;

public sealed class PostgresFailuresTests
{
    [Theory]
    [InlineData("57P01")]
    [InlineData("57P03")]
    [InlineData("53300")]
    [InlineData("08006")]
    [InlineData("25006")]
    public void A_server_that_is_away_is_told_by_its_code(string state) =>
        Assert.True(PostgresFailures.IsUnavailable(new PostgresException("", "FATAL", "FATAL", state)));

    [Theory]
    [InlineData("23505")]
    [InlineData("42601")]
    [InlineData("28P01")]
    [InlineData("40001")]
    public void A_statement_that_is_wrong_is_not_a_server_that_is_away(string state) =>
        Assert.False(PostgresFailures.IsUnavailable(new PostgresException("", "ERROR", "ERROR", state)));

    [Fact]
    public void A_broken_connection_is_a_server_that_is_away()
    {
        Assert.True(PostgresFailures.IsUnavailable(new NpgsqlException("", new SocketException((int)SocketError.ConnectionRefused))));
        Assert.True(PostgresFailures.IsUnavailable(new NpgsqlException("", new EndOfStreamException())));
        Assert.False(PostgresFailures.IsUnavailable(new InvalidOperationException()));
        Assert.True(PostgresFailures.IsUnavailable(new Exception("Received unexpected backend message DataRow. Please file a bug.") { Source = "Npgsql" }));
        Assert.False(PostgresFailures.IsUnavailable(new Exception("ours")));
        Assert.False(PostgresFailures.IsUnavailable(new InvalidOperationException("a call out of order") { Source = "Npgsql" }));
    }

    [Theory]
    [InlineData("40001", true)]
    [InlineData("40P01", true)]
    [InlineData("23505", false)]
    public void A_conflict_is_worth_another_try(string state, bool expected) =>
        Assert.Equal(expected, PostgresFailures.IsConflict(new PostgresException("", "ERROR", "ERROR", state)));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_stops_under_a_connection_and_comes_back_is_told_as_away_and_then_works(bool crash)
    {
        await using var server = await PostgresServer.StartNewAsync();
        var login = new NpgsqlConnectionStringBuilder(DatabaseUrl.Parse(server.Url).ConnectionString);
        await using var source = NpgsqlDataSource.Create(login.ConnectionString);
        await RunAsync(source, "create table kept as select 1 as id");
        await using var busy = await source.OpenConnectionAsync();

        await (crash ? server.CrashAsync() : server.StopAsync());
        await using var inUse = new NpgsqlCommand("select 1", busy);
        Assert.True(PostgresFailures.IsUnavailable(await Assert.ThrowsAnyAsync<NpgsqlException>(() => inUse.ExecuteScalarAsync())));
        Assert.True(PostgresFailures.IsUnavailable(await Assert.ThrowsAnyAsync<NpgsqlException>(() => RunAsync(source, "select 1"))));

        await server.StartAsync();
        Assert.Equal(1, await RunAsync(source, "select id from kept"));
    }

    private static async Task<object?> RunAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }
}
