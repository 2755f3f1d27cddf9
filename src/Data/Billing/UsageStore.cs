using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Conversations;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Data.Billing;

/// <summary>Reads where organizations stand, and writes what is to be told about it. What is used is written with the turns: see <see cref="ConversationWriter"/>.</summary>
public sealed class UsageStore(EngineDataSource database)
{
    /// <summary>The columns of <c>usage_state</c>, in the order of <see cref="Read(NpgsqlDataReader)"/>.</summary>
    public const string Columns = """
        plan_code, plan_name, status, token_quota, token_used, period_start, period_end, conversation_limit, conversations_used, month_start, month_end, grace_ends_at,
        stop_reason, takes_new_conversations, stop_message, valid_until, warn_percent, stop_percent
        """;

    /// <summary>Null for an organization without a subscription, unless it is suspended.</summary>
    public async Task<UsageState?> Read(Guid organizationId, DateTimeOffset at, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"SELECT {Columns} FROM usage_state($1, $2)");
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = at });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? Read(reader) : null;
    }

    /// <summary>Reads the current row.</summary>
    public static UsageState Read(NpgsqlDataReader row) => new()
    {
        PlanCode = row.Text(0),
        PlanName = row.Text(1),
        Status = row.Text(2),
        TokenQuota = row.Value<long>(3),
        TokensUsed = row.GetInt64(4),
        PeriodStart = row.GetFieldValue<DateTimeOffset>(5),
        PeriodEnd = row.GetFieldValue<DateTimeOffset>(6),
        ConversationLimit = row.Value<int>(7),
        ConversationsUsed = row.GetInt32(8),
        MonthStart = row.GetFieldValue<DateTimeOffset>(9),
        MonthEnd = row.GetFieldValue<DateTimeOffset>(10),
        GraceEndsAt = row.Value<DateTimeOffset>(11),
        StopReason = row.Text(12),
        TakesNewConversations = row.GetBoolean(13),
        StopMessage = row.Text(14),
        ValidUntil = row.GetFieldValue<DateTimeOffset>(15),
        WarnPercent = row.GetInt32(16),
        StopPercent = row.GetInt32(17),
    };

    /// <summary>Writes an alert and tells the organization's admins; false when that was done before, by whichever process.</summary>
    public async Task<bool> Alert(Guid organizationId, string kind, string level, DateOnly periodStart, long used, long quota, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT record_usage_alert($1, $2, $3, $4, $5, $6)");
        foreach (var value in (object[])[organizationId, kind, level, periodStart, used, quota])
        {
            command.Parameters.Add(new() { Value = value });
        }
        return (bool)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    /// <summary>Tells every process that the AI of an organization has to stop, or may go on.</summary>
    public async Task Announce(Guid organizationId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT pg_notify('configuration_changed', jsonb_build_object('table', 'usage_alerts', 'organizationId', $1::uuid, 'id', NULL)::text)");
        command.Parameters.Add(new() { Value = organizationId });
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Organizations whose AI may go on at a moment, and with conversations that still wait for it: a month began, a silo died before it woke them, or they were more than
    /// one round wakes. Conversations that the AI wouldn't answer anyway are left out.
    /// </summary>
    public async Task<IReadOnlyList<Guid>> FindWaitingInVain(DateTimeOffset at, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            SELECT w.organization_id
            FROM (SELECT DISTINCT c.organization_id FROM conversations c
                JOIN contacts k ON k.id = c.contact_id AND k.ai_enabled
                JOIN channels h ON h.id = c.channel_id AND h.is_active AND h.is_bot_active
                JOIN organizations o ON o.id = c.organization_id AND o.ai_enabled
                WHERE c.status = 'escalated' AND c.managed_by = 'ai') w
            WHERE coalesce((SELECT s.stop_reason IS NULL AND s.takes_new_conversations FROM usage_state(w.organization_id, $1) s), true)
            """);
        command.Parameters.Add(new() { Value = at, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var organizations = new List<Guid>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            organizations.Add(reader.GetGuid(0));
        }
        return organizations;
    }

    /// <summary>Brings subscriptions up to a moment, at most so many; returns what happened to whom.</summary>
    public async Task<IReadOnlyList<(Guid OrganizationId, string Happened)>> Advance(DateTimeOffset at, int most, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT organization_id, happened FROM advance_subscriptions($1, $2)");
        command.Parameters.Add(new() { Value = at, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new() { Value = most });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var happened = new List<(Guid, string)>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            happened.Add((reader.GetGuid(0), reader.GetString(1)));
        }
        return happened;
    }
}
