using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Storage;

namespace Orleans.Runtime;

/// <summary>A reminder as its table holds it.</summary>
internal sealed record ReminderRow(GrainId GrainId, string Name, DateTime StartAt, TimeSpan Period, string ETag) : IGrainReminder
{
    public string ReminderName => Name;
}

/// <summary>Where reminders are kept.</summary>
internal interface IReminderStore
{
    Task StartAsync(CancellationToken cancellationToken);

    Task<List<ReminderRow>> ReadAllAsync();

    Task<List<ReminderRow>> ReadAsync(GrainId grainId);

    Task<ReminderRow> UpsertAsync(GrainId grainId, string name, DateTime startAt, TimeSpan period);

    Task<bool> DeleteAsync(ReminderRow row);
}

/// <summary>Reminders in memory, for tests.</summary>
internal sealed class MemoryReminderStore : IReminderStore
{
    private readonly ConcurrentDictionary<(GrainId, string), ReminderRow> _rows = new();
    private int _version;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<List<ReminderRow>> ReadAllAsync() => Task.FromResult(_rows.Values.ToList());

    public Task<List<ReminderRow>> ReadAsync(GrainId grainId) => Task.FromResult(_rows.Values.Where(row => row.GrainId == grainId).ToList());

    public Task<ReminderRow> UpsertAsync(GrainId grainId, string name, DateTime startAt, TimeSpan period)
    {
        var etag = Interlocked.Increment(ref _version).ToString(CultureInfo.InvariantCulture);
        return Task.FromResult(_rows[(grainId, name)] = new ReminderRow(grainId, name, startAt, period, etag));
    }

    public Task<bool> DeleteAsync(ReminderRow row) => Task.FromResult(_rows.TryRemove(KeyValuePair.Create((row.GrainId, row.Name), row)));
}

/// <summary>Reminders in a database.</summary>
internal sealed class AdoNetReminderStore(IOptions<AdoNetReminderTableOptions> options, IOptions<ClusterOptions> cluster) : IReminderStore, IDisposable
{
    private const string ReadGrain = "ReadReminderRowsKey";
    private const string ReadRange = "ReadRangeRows2Key";
    private const string Upsert = "UpsertReminderRowKey";
    private const string Delete = "DeleteReminderRowKey";

    private readonly string _serviceId = cluster.Value.ServiceId;
    private OrleansQueries? _queries;
    private DbDataSource? _owned;

    private OrleansQueries Queries => _queries ?? throw new InvalidOperationException("The reminder table is not started yet.");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var value = options.Value;
        var source = OrleansQueries.Source(nameof(AdoNetReminderTableOptions), value.Invariant, value.ConnectionString, value.DataSource, out var owned);
        _owned = owned ? source : null;
        _queries = await OrleansQueries.LoadAsync(source, [ReadGrain, ReadRange, Upsert, Delete], cancellationToken);
    }

    // A range that ends where it begins is the whole ring.
    public Task<List<ReminderRow>> ReadAllAsync() => Queries.ReadAsync(ReadRange, Row, ("ServiceId", _serviceId), ("BeginHash", 0), ("EndHash", 0));

    public Task<List<ReminderRow>> ReadAsync(GrainId grainId) => Queries.ReadAsync(ReadGrain, Row, ("ServiceId", _serviceId), ("GrainId", grainId.ToString()));

    public async Task<ReminderRow> UpsertAsync(GrainId grainId, string name, DateTime startAt, TimeSpan period)
    {
        var versions = await Queries.ReadAsync(
            Upsert,
            reader => Convert.ToString(reader["Version"], CultureInfo.InvariantCulture)!,
            ("ServiceId", _serviceId),
            ("GrainId", grainId.ToString()),
            ("ReminderName", name),
            ("StartTime", startAt),
            ("Period", (long)period.TotalMilliseconds),
            ("GrainHash", unchecked((int)grainId.GetUniformHashCode())));
        return new ReminderRow(grainId, name, startAt, period, versions[0]);
    }

    public async Task<bool> DeleteAsync(ReminderRow row)
    {
        var deleted = await Queries.ReadAsync(
            Delete,
            reader => Convert.ToInt64(reader[0], CultureInfo.InvariantCulture),
            ("ServiceId", _serviceId),
            ("GrainId", row.GrainId.ToString()),
            ("ReminderName", row.Name),
            ("Version", int.Parse(row.ETag, CultureInfo.InvariantCulture)));
        return deleted is [> 0];
    }

    public void Dispose() => _owned?.Dispose();

    private static ReminderRow Row(DbDataReader reader) => new(
        GrainId.Parse((string)reader["GrainId"], CultureInfo.InvariantCulture),
        (string)reader["ReminderName"],
        DateTime.SpecifyKind((DateTime)reader["StartTime"], DateTimeKind.Utc),
        TimeSpan.FromMilliseconds(Convert.ToInt64(reader["Period"], CultureInfo.InvariantCulture)),
        Convert.ToString(reader["Version"], CultureInfo.InvariantCulture)!);
}
