using System.Collections.Frozen;

namespace AgentPlatform.Grains.Channels;

/// <summary>The connectors by platform.</summary>
public sealed class ChannelConnectors(IEnumerable<IChannelConnector> connectors)
{
    private readonly FrozenDictionary<string, IChannelConnector> _byPlatform = connectors.ToFrozenDictionary(connector => connector.Platform);

    /// <summary>Throws <see cref="NotSupportedException"/> for a platform without a connector.</summary>
    public IChannelConnector For(string platform) =>
        _byPlatform.TryGetValue(platform, out var connector) ? connector : throw new NotSupportedException($"No connector speaks to '{platform}'.");
}
