using Microsoft.Extensions.Logging;
using Npgsql;

namespace AgentPlatform.Data.Connections;

/// <summary>A pool of connections signed in as one role. A type per role, so that a constructor says which one it needs.</summary>
public abstract class RoleDataSource : IAsyncDisposable, IDisposable
{
    /// <summary>
    /// Statements are prepared once a connection and keep their plan. One made while a table was still small would read the whole table for as long as the
    /// plan lives; without scans of whole tables it stays right while the tables grow. Statements this short gain nothing from being compiled either.
    /// </summary>
    private const string Settings = "SET enable_seqscan = off; SET jit = off";

    private readonly string _settings;

    private protected RoleDataSource(string connectionString, ILoggerFactory? driverLog, string ownSettings = "")
    {
        _settings = Settings + ownSettings;
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        builder.UseVector();
        builder.UsePhysicalConnectionInitializer(Prepare, PrepareAsync);
        builder.UseLoggerFactory(driverLog);
        Source = builder.Build();
    }

    /// <summary>The Npgsql pool.</summary>
    public NpgsqlDataSource Source { get; }

    /// <summary>Takes a connection from the pool, or opens one.</summary>
    public ValueTask<NpgsqlConnection> OpenConnectionAsync(CancellationToken cancellationToken = default) => Source.OpenConnectionAsync(cancellationToken);

    /// <summary>A command that takes a connection while it runs.</summary>
    public NpgsqlCommand CreateCommand(string sql) => Source.CreateCommand(sql);

    /// <summary>A batch that takes a connection while it runs: one round trip, one implicit transaction.</summary>
    public NpgsqlBatch CreateBatch() => Source.CreateBatch();

    private void Prepare(NpgsqlConnection connection)
    {
        using var settings = new NpgsqlCommand(_settings, connection);
        settings.ExecuteNonQuery();
    }

    private async Task PrepareAsync(NpgsqlConnection connection)
    {
        var settings = new NpgsqlCommand(_settings, connection);
        await using (settings.ConfigureAwait(false))
        {
            await settings.ExecuteNonQueryAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return Source.DisposeAsync();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Source.Dispose();
    }
}

/// <summary>Connections of the silo (<see cref="DataOptions.EngineRole"/>): may read and write every organization's rows.</summary>
public sealed class EngineDataSource(DataOptions options) : RoleDataSource(options.EngineConnectionString, options.DriverLog);

/// <summary>Connections of the API (<see cref="DataOptions.ApiRole"/>): see nothing until a transaction names its organization. Use <see cref="Tenancy.TenantSession"/>.</summary>
/// <remarks>Organizations differ a thousandfold in size, and a plan made for the average one is wrong for the largest: each statement is planned for its own.</remarks>
public sealed class ApiDataSource(DataOptions options) : RoleDataSource(options.ApiConnectionString, options.DriverLog, "; SET plan_cache_mode = force_custom_plan");

/// <summary>
/// Connections of Orleans itself, as the login of its process: its own and few (<see cref="MaxConnections"/>), so that a silo says that it lives however many statements of the product wait,
/// and a storm of reminders leaves the database to them.
/// </summary>
public sealed class ClusterDataSource : RoleDataSource
{
    /// <summary>Most connections of one process.</summary>
    public const int MaxConnections = 8;

    private ClusterDataSource(string connectionString, ILoggerFactory? driverLog)
        : base(new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = MaxConnections }.ConnectionString, driverLog)
    {
    }

    /// <summary>That of a silo.</summary>
    public static ClusterDataSource OfSilo(DataOptions options) => new(options.EngineConnectionString, options.DriverLog);

    /// <summary>That of an API process, which only looks for silos.</summary>
    public static ClusterDataSource OfClient(DataOptions options) => new(options.ApiConnectionString, options.DriverLog);
}
