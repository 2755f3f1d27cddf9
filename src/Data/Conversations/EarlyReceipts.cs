using AgentPlatform.Data.Connections;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Data.Conversations;

/// <summary>A receipt that found no message of ours: it may have overtaken its own send.</summary>
public sealed record EarlyReceipt
{
    public required Guid OrganizationId { get; init; }
    public required Guid ChannelId { get; init; }
    public required string PlatformMessageId { get; init; }
    public Guid? MessageId { get; init; }

    /// <summary><c>delivered</c>, <c>read</c> or <c>failed</c>: a send says itself that the message was sent.</summary>
    public required string Status { get; init; }
    public string? ErrorCode { get; init; }
    public string? ErrorSubcode { get; init; }
    public string? Error { get; init; }
    public DateTimeOffset? At { get; init; }
}

/// <summary>Keeps receipts for sends that are still under way, for <see cref="KeptFor"/>.</summary>
public sealed class EarlyReceipts(EngineDataSource database)
{
    /// <summary>Longer than any send is under way; what waits longer is of a message that we didn't send (another tool on the same number).</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(10);

    /// <summary>How long after a receipt came its send may still have missed it: both were committed at the same moment.</summary>
    public static readonly TimeSpan MissedWithin = TimeSpan.FromMinutes(1);

    /// <summary>Columns in the order in which <see cref="Read"/> takes them.</summary>
    internal const string Columns = "e.organization_id, e.channel_id, e.platform_message_id, e.message_id, e.status, e.error_code, e.error_subcode, e.error, e.told_at";

    /// <summary>Keeps receipts; of two about one message the further one.</summary>
    public async Task Keep(IReadOnlyList<EarlyReceipt> receipts, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            INSERT INTO early_receipts AS e (organization_id, channel_id, platform_message_id, message_id, status, error_code, error_subcode, error, told_at)
            SELECT DISTINCT ON (t.channel_id, t.platform_message_id) t.* FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])
                AS t (organization_id, channel_id, platform_message_id, message_id, status, error_code, error_subcode, error, told_at)
            ORDER BY t.channel_id, t.platform_message_id, message_status_rank(t.status) DESC
            ON CONFLICT (channel_id, platform_message_id) DO UPDATE SET status = excluded.status, error_code = excluded.error_code, error_subcode = excluded.error_subcode,
                error = excluded.error, told_at = excluded.told_at, message_id = coalesce(excluded.message_id, e.message_id)
            WHERE message_status_rank(excluded.status) > message_status_rank(e.status)
            """);
        Add(NpgsqlDbType.Uuid, receipts.Select(static receipt => receipt.OrganizationId).ToArray());
        Add(NpgsqlDbType.Uuid, receipts.Select(static receipt => receipt.ChannelId).ToArray());
        Add(NpgsqlDbType.Text, receipts.Select(static receipt => receipt.PlatformMessageId).ToArray());
        Add(NpgsqlDbType.Uuid, receipts.Select(static receipt => receipt.MessageId).ToArray());
        Add(NpgsqlDbType.Text, receipts.Select(static receipt => receipt.Status).ToArray());
        Add(NpgsqlDbType.Text, receipts.Select(static receipt => receipt.ErrorCode).ToArray());
        Add(NpgsqlDbType.Text, receipts.Select(static receipt => receipt.ErrorSubcode).ToArray());
        Add(NpgsqlDbType.Text, receipts.Select(static receipt => receipt.Error).ToArray());
        Add(NpgsqlDbType.TimestampTz, receipts.Select(static receipt => receipt.At).ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);

        void Add(NpgsqlDbType type, object values) => command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | type, Value = values });
    }

    /// <summary>Forgets what was applied.</summary>
    public async Task Forget(Guid channelId, IReadOnlyList<string> platformMessageIds, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("DELETE FROM early_receipts WHERE channel_id = $1 AND platform_message_id = ANY ($2)");
        command.Parameters.Add(new() { Value = channelId });
        command.Parameters.Add(new() { Value = platformMessageIds.ToArray() });
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Receipts whose message has its platform's id by now, without having been told; forgets what is older than <see cref="KeptFor"/>.</summary>
    public async Task<IReadOnlyList<EarlyReceipt>> FindMissed(int limit, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("DELETE FROM early_receipts WHERE created_at < now() - $1::interval") { Parameters = { new() { Value = KeptFor } } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"""
            SELECT {Columns} FROM early_receipts e
            WHERE e.created_at >= now() - $1::interval
              AND EXISTS (SELECT FROM messages m WHERE m.channel_id = e.channel_id AND m.platform_message_id = e.platform_message_id)
            ORDER BY e.created_at LIMIT $2
            """)
        { Parameters = { new() { Value = MissedWithin }, new() { Value = limit } } });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var found = new List<EarlyReceipt>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            found.Add(Read(reader));
        }
        return found;
    }

    /// <summary>The row that the reader stands on.</summary>
    /// <param name="at">The column with which it begins.</param>
    internal static EarlyReceipt Read(NpgsqlDataReader reader, int at = 0) => new()
    {
        OrganizationId = reader.GetGuid(at),
        ChannelId = reader.GetGuid(at + 1),
        PlatformMessageId = reader.GetString(at + 2),
        MessageId = reader.Value<Guid>(at + 3),
        Status = reader.GetString(at + 4),
        ErrorCode = reader.Text(at + 5),
        ErrorSubcode = reader.Text(at + 6),
        Error = reader.Text(at + 7),
        At = reader.Value<DateTimeOffset>(at + 8),
    };
}
