using System.Data.Common;
using System.Globalization;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Orleans.Storage;

/// <summary>States in a database.</summary>
internal sealed class AdoNetGrainStorage(string name, AdoNetGrainStorageOptions options, StateSerializer serializer, string serviceId) : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private const string Write = "WriteToStorageKey";
    private const string Read = "ReadFromStorageKey";
    private const string Clear = "ClearStorageKey";
    private const string Delete = "DeleteStorageKey";

    private OrleansQueries? _queries;
    private DbDataSource? _owned;

    private OrleansQueries Queries => _queries ?? throw new InvalidOperationException($"The grain storage '{name}' is not started yet.");

    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(name, options.InitStage, StartAsync);

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var rows = await Queries.ReadAsync(
            Read,
            reader => (Payload: reader["PayloadBinary"] as byte[], Version: Convert.ToString(reader["Version"], CultureInfo.InvariantCulture)),
            Parameters(stateName, grainId));
        var payload = rows is [var found] ? found.Payload : null;
        grainState.State = payload is null ? NewState.Of<T>() : serializer.Deserialize<T>(payload) ?? NewState.Of<T>();
        grainState.ETag = rows is [var row] ? row.Version : null;
        grainState.RecordExists = payload is not null;
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var payload = serializer.Serialize(grainState.State);
        grainState.ETag = await ChangeAsync(Write, stateName, grainId, grainState.ETag, ("PayloadBinary", payload));
        grainState.RecordExists = true;
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (!grainState.RecordExists && grainState.ETag is null)
        {
            await ReadStateAsync(stateName, grainId, grainState);
            if (!grainState.RecordExists)
            {
                return;
            }
        }

        var version = await ChangeAsync(options.DeleteStateOnClear ? Delete : Clear, stateName, grainId, grainState.ETag);
        grainState.ETag = options.DeleteStateOnClear ? null : version;
        grainState.RecordExists = false;
        grainState.State = NewState.Of<T>();
    }

    public void Dispose() => _owned?.Dispose();

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        var source = OrleansQueries.Source(nameof(AdoNetGrainStorageOptions), options.Invariant, options.ConnectionString, options.DataSource, out var owned);
        _owned = owned ? source : null;
        _queries = await OrleansQueries.LoadAsync(source, [Write, Read, Clear, Delete], cancellationToken);
    }

    private async Task<string> ChangeAsync(string key, string stateName, GrainId grainId, string? etag, params (string Name, object? Value)[] more)
    {
        var held = string.IsNullOrWhiteSpace(etag) ? (int?)null : int.Parse(etag, CultureInfo.InvariantCulture);
        var versions = await Queries.ReadAsync(
            key,
            reader => Convert.ToString(reader["NewGrainStateVersion"], CultureInfo.InvariantCulture),
            [.. Parameters(stateName, grainId), ("GrainStateVersion", held), .. more]);
        return versions is [{ Length: > 0 } version] && version != etag
            ? version
            : throw new InconsistentStateException($"The state '{stateName}' of {grainId} is not at version {etag ?? "none"} any more.", null, etag);
    }

    private (string Name, object? Value)[] Parameters(string stateName, GrainId grainId)
    {
        var (n0, n1, extension) = KeyParts(grainId);
        return
        [
            ("GrainIdN0", n0),
            ("GrainIdN1", n1),
            ("GrainIdExtensionString", extension),
            ("GrainTypeString", stateName),
            ("ServiceId", serviceId),
        ];
    }

    /// <summary>The form of a key in the table: a guid in two numbers, an integer in the second, anything else as the extension.</summary>
    private static (long N0, long N1, string? Extension) KeyParts(GrainId grainId)
    {
        if (grainId.TryGetGuidKey(out var guid, out var extension))
        {
            var bytes = guid.ToByteArray();
            return (BitConverter.ToInt64(bytes, 0), BitConverter.ToInt64(bytes, 8), extension);
        }

        return grainId.TryGetIntegerKey(out var integer, out extension) ? (0, integer, extension) : (0, 0, grainId.Key.Text);
    }
}
