using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Connections;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Grains.Channels;

/// <summary>
/// Asks platforms whether channels are the accounts that they name. Whoever merely names another's account stands behind its owner when an event is to be taken by somebody
/// (<c>channels_called</c>).
/// </summary>
internal sealed partial class AccountConfirmation(
    EngineDataSource source, IChannelDirectory channels, IEnumerable<IChannelConnector> connectors, TimeProvider clock, ILogger<AccountConfirmation> logger)
{
    /// <summary>Channels that are asked about at once.</summary>
    private const int AtOnce = 8;

    /// <summary>Most channels of which is remembered that their platform didn't answer; then they are asked about again.</summary>
    private const int MaxRemembered = 10_000;

    /// <summary>How long a platform that doesn't answer isn't asked again.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(10);

    private readonly Dictionary<Guid, DateTimeOffset> _notBefore = [];

    /// <summary>Asks about some of the channels that were not asked about since they changed.</summary>
    public async Task ConfirmSome(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        foreach (var (passed, _) in _notBefore.Where(entry => entry.Value <= now || _notBefore.Count > MaxRemembered).ToArray())
        {
            _notBefore.Remove(passed);
        }
        var unknown = await Unknown(cancellationToken).ConfigureAwait(false);
        await Task.WhenAll(unknown.Select(async found =>
        {
            var (id, version) = found;
            var channel = await channels.Find(id, cancellationToken).ConfigureAwait(false);
            var connector = channel is null ? null : connectors.FirstOrDefault(known => known.Platform == channel.Platform);
            if (connector is null || await connector.ConfirmAccount(channel!, cancellationToken).ConfigureAwait(false) is not { } isConfirmed)
            {
                lock (_notBefore)
                {
                    _notBefore[id] = now + Pause;
                }
                return;
            }
            await Record(id, version, isConfirmed, cancellationToken).ConfigureAwait(false);
            LogAsked(channel!.Platform, id, isConfirmed);
        })).ConfigureAwait(false);
    }

    private async Task<List<(Guid Id, long Version)>> Unknown(CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(
            "SELECT id, version FROM channels WHERE is_account_confirmed IS NULL AND platform = 'whatsapp' AND is_active AND settings ->> 'apiBaseUrl' IS NULL AND id <> ALL ($1) ORDER BY id DESC LIMIT $2");
        command.Parameters.Add(new() { Value = _notBefore.Keys.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = AtOnce });
        await using var rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var unknown = new List<(Guid, long)>();
        while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            unknown.Add((rows.GetGuid(0), rows.GetInt64(1)));
        }
        return unknown;
    }

    /// <summary>Counts only where the channel is still as it was asked about.</summary>
    private async Task Record(Guid id, long version, bool isConfirmed, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand("UPDATE channels SET is_account_confirmed = $3 WHERE id = $1 AND version = $2");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = version });
        command.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = isConfirmed });
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    [LoggerMessage(2331, LogLevel.Information, "{Platform} was asked whether channel {ChannelId} is the account that it names: {IsConfirmed}")]
    private partial void LogAsked(string platform, Guid channelId, bool isConfirmed);
}
