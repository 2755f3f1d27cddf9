using System.Collections.Concurrent;
using System.Globalization;
using Orleans.Runtime;

namespace Orleans.Storage;

/// <summary>States in memory, serialized like stored ones. For tests: they end with the process.</summary>
internal sealed class MemoryGrainStorage(StateSerializer serializer) : IGrainStorage
{
    private readonly ConcurrentDictionary<(string Name, GrainId Grain), Entry> _entries = new();

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var entry = _entries.GetValueOrDefault((stateName, grainId));
        grainState.State = entry?.Payload is { } payload ? serializer.Deserialize<T>(payload) ?? NewState.Of<T>() : NewState.Of<T>();
        grainState.ETag = entry?.Version.ToString(CultureInfo.InvariantCulture);
        grainState.RecordExists = entry?.Payload is not null;
        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        grainState.ETag = Replace(stateName, grainId, grainState.ETag, serializer.Serialize(grainState.State));
        grainState.RecordExists = true;
        return Task.CompletedTask;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (_entries.ContainsKey((stateName, grainId)))
        {
            grainState.ETag = Replace(stateName, grainId, grainState.ETag, null);
        }

        grainState.RecordExists = false;
        grainState.State = NewState.Of<T>();
        return Task.CompletedTask;
    }

    private string Replace(string stateName, GrainId grainId, string? etag, byte[]? payload)
    {
        var key = (stateName, grainId);
        var stored = _entries.GetValueOrDefault(key);
        var next = new Entry((stored?.Version ?? 0) + 1, payload);
        var held = etag is null ? (long?)null : long.Parse(etag, CultureInfo.InvariantCulture);
        var replaced = held == stored?.Version && (stored is null ? _entries.TryAdd(key, next) : _entries.TryUpdate(key, next, stored));
        return replaced
            ? next.Version.ToString(CultureInfo.InvariantCulture)
            : throw new InconsistentStateException($"The state '{stateName}' of {grainId} is at another version.", stored?.Version.ToString(CultureInfo.InvariantCulture), etag);
    }

    private sealed record Entry(long Version, byte[]? Payload);
}
