using System.Text.Json;
using AgentPlatform.Data;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Connections;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Grains.Channels;

/// <summary>Writes that a platform refuses a channel, where members see it: on the channel, in the activity log, and told once to those who can mend it.</summary>
internal sealed class ChannelBreakage(EngineDataSource source, TimeProvider clock)
{
    /// <summary>Records it once; a channel that is already broken keeps its first reason.</summary>
    /// <exception cref="StorageUnavailableException">Postgres is away; nothing was written.</exception>
    public async Task Record(ChannelSettings channel, string code, string reason, ChannelTrouble trouble, DateTimeOffset at)
    {
        await using var command = source.CreateCommand("""
            WITH broken AS (
                UPDATE channels SET broken_reason = $3, broken_at = $4, version = version + 1
                WHERE id = $1 AND organization_id = $2 AND broken_reason IS NULL
                RETURNING id, organization_id, name, version
            ), logged AS (
                INSERT INTO activity_logs (id, organization_id, action_type, entity_type, entity_id, after)
                SELECT $5, organization_id, 'channel.broken', 'channel', id, $6 FROM broken
            )
            SELECT notify_members(organization_id, 'manager', 'channel_broken', NULL, $3, 'channel', id, format('broken %s %s', id, version), $7, ARRAY[name]) FROM broken
            """);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = channel.Id });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = channel.OrganizationId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = reason });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = at });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Uuid.New(clock) });
        command.Parameters.Add(new() { Value = JsonSerializer.Serialize(new Dictionary<string, string> { ["code"] = code, ["reason"] = reason }), NpgsqlDbType = NpgsqlDbType.Jsonb });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = ChannelAdvice.TextName(trouble) });
        try
        {
            await command.ExecuteNonQueryAsync().ConfigureAwait(false);
        }
        catch (Exception failure) when (PostgresFailures.IsUnavailable(failure))
        {
            throw new StorageUnavailableException("The channel's state can't be written.", failure);
        }
    }
}
