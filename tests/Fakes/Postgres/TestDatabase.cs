using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Migrations;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace AgentPlatform.Fakes.Postgres;

/// <summary>
/// A database of its own for a test: migrated, empty, dropped at the end. It is a copy of a template that is migrated once for each
/// version of the scripts, however many test processes there are, so that making one takes some 50 ms.
/// </summary>
public sealed class TestDatabase : IAsyncDisposable
{
    /// <summary>Environment variable with the address of the server that test databases are made on.</summary>
    public const string ServerVariable = "TEST_DATABASE_URL";

    private const int PoolSize = 12;
    private const long TemplateLock = 0x74656D706C617465;
    private static readonly TimeSpan Abandoned = TimeSpan.FromHours(2);
    private static readonly Lazy<Task<string>> Template = new(CreateTemplateAsync);

    private readonly string _name;

    private TestDatabase(string name)
    {
        _name = name;
        DataOptions = OptionsFor(name);
    }

    /// <summary>How each role reaches this database.</summary>
    public DataOptions DataOptions { get; }

    /// <summary>Connection string of a superuser, not bound by row level security.</summary>
    public string AdminConnectionString => DataOptions.AdminConnectionString;

    /// <summary>Connection string of the silo's role.</summary>
    public string EngineConnectionString => DataOptions.EngineConnectionString;

    /// <summary>Connection string of the API's role.</summary>
    public string ApiConnectionString => DataOptions.ApiConnectionString;

    /// <summary>The value of <c>DATABASE_URL</c> that points a host at this database.</summary>
    public string Url => DataOptions.AdminConnectionString;

    /// <summary>A fresh, migrated database.</summary>
    public static async Task<TestDatabase> CreateAsync()
    {
        var template = await Template.Value.ConfigureAwait(false);
        return await CreateAsync($"template {template}").ConfigureAwait(false);
    }

    /// <summary>A fresh database without any schema, for tests of the migrations themselves.</summary>
    public static Task<TestDatabase> CreateEmptyAsync() => CreateAsync("template template0");

    /// <summary>Runs statements as superuser, for what a test has to arrange or look at behind the product's back.</summary>
    public async Task ExecuteAsAdminAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(AdminConnectionString);
        await connection.OpenAsync().ConfigureAwait(false);
        await ExecuteAsync(connection, sql).ConfigureAwait(false);
    }

    /// <summary>First column of the first row, read as superuser.</summary>
    public async Task<T?> ScalarAsAdminAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(AdminConnectionString);
        await connection.OpenAsync().ConfigureAwait(false);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync().ConfigureAwait(false) is T value ? value : default;
    }

    /// <summary>Drops the database, whoever is still connected to it.</summary>
    public async ValueTask DisposeAsync()
    {
        await using var server = await ConnectAsync().ConfigureAwait(false);
        await ExecuteAsync(server, $"drop database if exists {_name} with (force)").ConfigureAwait(false);
    }

    private static async Task<TestDatabase> CreateAsync(string source)
    {
        var minutes = DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 60;
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{minutes}_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}");
        await using var server = await ConnectAsync().ConfigureAwait(false);
        await ExecuteAsync(server, $"create database {name} {source}").ConfigureAwait(false);
        return new TestDatabase(name);
    }

    private static async Task<string> CreateTemplateAsync()
    {
        var checksums = string.Join('\n', MigrationScript.Embedded().Select(script => script.Name + script.Checksum));
        var name = "test_template_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(checksums)))[..12];
        await using var server = await ConnectAsync().ConfigureAwait(false);
        await ExecuteAsync(server, $"select pg_advisory_lock({TemplateLock})").ConfigureAwait(false);
        await DropAbandonedAsync(server).ConfigureAwait(false);
        await using var exists = new NpgsqlCommand("select exists (select from pg_database where datname = $1)", server) { Parameters = { new() { Value = name } } };
        if (await exists.ExecuteScalarAsync().ConfigureAwait(false) is not true)
        {
            // Only a template that was migrated to the end gets the name.
            var unfinished = name + "_unfinished";
            await ExecuteAsync(server, $"drop database if exists {unfinished} with (force)").ConfigureAwait(false);
            await ExecuteAsync(server, $"create database {unfinished} template template0").ConfigureAwait(false);
            await new Migrator(OptionsFor(unfinished), NullLogger<Migrator>.Instance).MigrateAsync().ConfigureAwait(false);
            await ExecuteAsync(server, $"alter database {unfinished} rename to {name}").ConfigureAwait(false);
        }

        await ExecuteAsync(server, $"select pg_advisory_unlock({TemplateLock})").ConfigureAwait(false);
        return name;
    }

    /// <summary>Databases of test runs that were killed.</summary>
    private static async Task DropAbandonedAsync(NpgsqlConnection server)
    {
        var names = new List<string>();
        await using (var list = new NpgsqlCommand("select datname from pg_database where datname ~ '^test_[0-9]+_[0-9a-f]+$'", server))
        await using (var reader = await list.ExecuteReaderAsync().ConfigureAwait(false))
        {
            while (await reader.ReadAsync().ConfigureAwait(false))
            {
                names.Add(reader.GetString(0));
            }
        }

        var oldest = DateTimeOffset.UtcNow - Abandoned;
        foreach (var name in names)
        {
            var minutes = long.Parse(name.Split('_')[1], CultureInfo.InvariantCulture);
            if (DateTimeOffset.FromUnixTimeSeconds(minutes * 60) < oldest)
            {
                await ExecuteAsync(server, $"drop database if exists {name} with (force)").ConfigureAwait(false);
            }
        }
    }

    private static DataOptions OptionsFor(string database) =>
        DataOptions.From(new NpgsqlConnectionStringBuilder(ServerConnectionString()) { Database = database }.ConnectionString, enginePool: PoolSize, apiPool: PoolSize);

    private static string ServerConnectionString()
    {
        var url = Environment.GetEnvironmentVariable(ServerVariable);
        return string.IsNullOrWhiteSpace(url)
            ? throw new InvalidOperationException($"{ServerVariable} is not set. Run ./test, or start a server for tests with: export {ServerVariable}=$(eng/test-postgres start)")
            : new NpgsqlConnectionStringBuilder(DatabaseUrl.Parse(url).ConnectionString) { Database = "postgres", Pooling = false }.ConnectionString;
    }

    private static async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(ServerConnectionString());
        await connection.OpenAsync().ConfigureAwait(false);
        return connection;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 120 };
        await command.ExecuteNonQueryAsync().ConfigureAwait(false);
    }
}
