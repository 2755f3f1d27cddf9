using System.Collections.Concurrent;
using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.WebChat;

/// <summary>A web channel as its visitors see it.</summary>
/// <param name="ChannelId">The channel.</param>
/// <param name="OrganizationId">Whose it is.</param>
/// <param name="Name">The organization's name.</param>
/// <param name="Color">As <c>#rrggbb</c>.</param>
/// <param name="Position"><c>bottom-right</c> or <c>bottom-left</c>.</param>
/// <param name="WelcomeMessage">Shown before the first message; the widget's, else the persona's greeting.</param>
/// <param name="Origins">The sites that may show it.</param>
internal sealed record Widget(Guid ChannelId, Guid OrganizationId, string Name, string Color, string Position, string? WelcomeMessage, OriginRules Origins)
{
    /// <summary>What row level security is bound to for a visitor.</summary>
    public Tenant Tenant { get; } = new(OrganizationId);
}

/// <summary>Web channels by id. Remembered until the configuration changes.</summary>
internal sealed class WidgetDirectory : IDisposable
{
    private const int MaxRemembered = 10_000;

    private const string DefaultColor = "#3b82f6";

    private readonly IChannelDirectory _channels;
    private readonly ApiDataSource _database;
    private readonly IDisposable _subscription;
    private readonly ConcurrentDictionary<Guid, Widget> _widgets = new();
    private long _changes;

    public WidgetDirectory(IChannelDirectory channels, ApiDataSource database, ConfigurationChanges changes)
    {
        _channels = channels;
        _database = database;
        _subscription = changes.Subscribe(Forget);
    }

    /// <summary>Null when there is no such channel, it isn't a web channel, or it is switched off: callers can't tell which.</summary>
    public async ValueTask<Widget?> Find(Guid channelId, CancellationToken cancellationToken)
    {
        // The channel's own directory knows first when a channel is switched off.
        var channel = await _channels.Find(channelId, cancellationToken);
        if (channel is not { Platform: "web", IsActive: true })
        {
            return null;
        }
        if (_widgets.TryGetValue(channelId, out var known))
        {
            return known;
        }
        var before = Interlocked.Read(ref _changes);
        var widget = await Read(channel, cancellationToken);
        if (widget is not null && before == Interlocked.Read(ref _changes))
        {
            if (_widgets.Count >= MaxRemembered)
            {
                _widgets.Clear();
            }
            _widgets[channelId] = widget;
        }
        return widget;
    }

    private async Task<Widget?> Read(ChannelSettings channel, CancellationToken cancellationToken)
    {
        const string Sql = """
            select o.name, w.primary_color, w.position, coalesce(w.welcome_message, p.greeting), w.allowed_domains
            from channels c
            join organizations o on o.id = c.organization_id
            left join web_widgets w on w.channel_id = c.id
            left join agents a on a.organization_id = c.organization_id and a.id = coalesce(c.agent_id, default_agent_of(o.id, o.default_agent_id))
            left join personas p on p.id = a.persona_id
            where c.id = $1
            """;
        await using var reader = await TenantSession.ReadAsync(_database, new Tenant(channel.OrganizationId), Sql, cancellationToken, channel.Id);
        return await reader.ReadAsync(cancellationToken)
            ? new Widget(
                channel.Id,
                channel.OrganizationId,
                reader.GetString(0),
                reader.IsDBNull(1) ? DefaultColor : reader.GetString(1),
                reader.IsDBNull(2) ? "bottom-right" : reader.GetString(2),
                reader.IsDBNull(3) ? null : reader.GetString(3),
                new OriginRules(reader.IsDBNull(4) ? [] : reader.GetFieldValue<string[]>(4)))
            : null;
    }

    private void Forget(ConfigurationChange change)
    {
        if (change.IsEverything || change.Table is "organizations" or "agents" or "personas")
        {
            Interlocked.Increment(ref _changes);
            _widgets.Clear();
        }
        else if (change.Table is "channels" or "web_widgets" && change.Id is { } id)
        {
            Interlocked.Increment(ref _changes);
            _widgets.TryRemove(id, out _);
        }
    }

    public void Dispose() => _subscription.Dispose();
}
