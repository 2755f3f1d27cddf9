using AgentPlatform.Data.Connections;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Data.Conversations;

/// <summary>A conversation as its grain finds it when it activates.</summary>
public sealed record StoredConversation
{
    public required Guid Id { get; init; }
    public required Guid OrganizationId { get; init; }
    public required Guid ContactId { get; init; }
    public Guid? ClientId { get; init; }
    public Guid? AgentId { get; init; }
    public required string Status { get; init; }
    public required string ManagedBy { get; init; }
    public Guid? AssignedTo { get; init; }
    public required long Version { get; init; }
    public required int Epoch { get; init; }
    public required long LastSequence { get; init; }
    public DateTimeOffset? LastMessageAt { get; init; }
    public DateTimeOffset? LastInboundAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>With the channel the key of the grain that holds the conversation.</summary>
    public required string FirstIdentity { get; init; }

    /// <summary>The name that answers go to.</summary>
    public required string PlatformUserId { get; init; }

    /// <summary>What the platform last called the person.</summary>
    public string? Name { get; init; }
    public string? Username { get; init; }
    public string? Phone { get; init; }
    public required bool AiEnabled { get; init; }
    public DateTimeOffset? LastInteractionAt { get; init; }
    public string? LastMessagePreview { get; init; }
    public required int UnreadCount { get; init; }
    public DateOnly? CountedMonth { get; init; }
    public string? UnreachableReason { get; init; }
    public bool IsGroup { get; init; }
    public bool IsMuted { get; init; }
    public bool IsBlocked { get; init; }

    /// <summary>The person's names, those first that were known first.</summary>
    public required IReadOnlyList<string> Identities { get; init; }

    /// <summary>Names that the person gave up, and when.</summary>
    public required IReadOnlyList<(string Name, DateTimeOffset At)> FormerNames { get; init; }
    public StoredTurn? UnfinishedTurn { get; init; }
    public required IReadOnlyList<StoredOutbound> Unsent { get; init; }
}

/// <summary>A turn that has not ended.</summary>
public sealed record StoredTurn(Guid Id, Guid? AgentId, int Attempt, int Epoch, long FirstSequence, long LastSequence, DateTimeOffset DueAt, string? TraceId);

/// <summary>A message of ours that the platform has not accepted yet.</summary>
public sealed record StoredOutbound(
    Guid Id, long Sequence, string SenderType, bool IsSending, int Attempts, string ContentType, string? Text, string? AttachmentUrl, string? AttachmentMetadata, string? Payload, string? ReplyToPlatformId);

/// <summary>Reads conversations for their grains.</summary>
public sealed class ConversationStore(EngineDataSource database)
{
    // The contact whose conversation has the name for its key; else the one who is known by it, or was last.
    private const string Contact = """
        coalesce((SELECT h.id FROM contacts h WHERE h.channel_id = $1 AND h.first_identity = $2), (SELECT i.contact_id FROM contact_identities i WHERE i.channel_id = $1 AND i.identity = $2),
            (SELECT f.contact_id FROM former_identities f WHERE f.channel_id = $1 AND f.identity = $2 ORDER BY f.given_up_at DESC LIMIT 1))
        """;

    private const string Find = $"""
        SELECT c.id, c.organization_id, c.contact_id, c.client_id, c.agent_id, c.status, c.managed_by, c.assigned_to, c.version, c.epoch, c.last_sequence,
               c.last_message_at, c.last_inbound_at, c.ended_at, k.first_identity, k.platform_name, k.username, k.phone, k.ai_enabled, k.last_interaction_at,
               k.last_message_preview, k.unread_count, k.unreachable_reason,
               ARRAY(SELECT n.identity FROM contact_identities n WHERE n.contact_id = k.id ORDER BY n.created_at, n.identity), c.counted_month,
               k.platform_user_id, k.is_group, k.muted_at IS NOT NULL, k.blocked_at IS NOT NULL,
               ARRAY(SELECT f.identity FROM former_identities f WHERE f.contact_id = k.id ORDER BY f.identity),
               ARRAY(SELECT f.given_up_at FROM former_identities f WHERE f.contact_id = k.id ORDER BY f.identity)
        FROM contacts k
        JOIN conversations c ON c.contact_id = k.id
        WHERE k.id = {Contact}
        """;

    private const string FindTurn = $"""
        SELECT t.id, t.agent_id, t.attempt, t.epoch, t.first_sequence, t.last_sequence, t.due_at, t.trace_id
        FROM conversations c
        JOIN turns t ON t.conversation_id = c.id AND t.state IN ('settling', 'running')
        WHERE c.contact_id = {Contact}
        """;

    private const string FindUnsent = $"""
        SELECT m.id, m.sequence, m.sender_type, m.status = 'sending', m.send_attempts, m.content_type, m.text_content, m.attachment_url, m.attachment_metadata::text, m.payload::text, m.reply_to_platform_id
        FROM conversations c
        JOIN messages m ON m.conversation_id = c.id AND m.status IN ('pending', 'sending')
        WHERE c.contact_id = {Contact}
        ORDER BY m.sequence
        """;

    /// <summary>The conversation of whoever the platform calls <paramref name="identity"/> on this channel; null when nobody was ever met by that name.</summary>
    public async Task<StoredConversation?> Load(Guid channelId, string identity, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        foreach (var statement in (ReadOnlySpan<string>)[Find, FindTurn, FindUnsent])
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(statement) { Parameters = { new() { Value = channelId }, new() { Value = identity } } });
        }
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        if (!await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            return null;
        }
        var conversation = new StoredConversation
        {
            Id = reader.GetGuid(0),
            OrganizationId = reader.GetGuid(1),
            ContactId = reader.GetGuid(2),
            ClientId = reader.Value<Guid>(3),
            AgentId = reader.Value<Guid>(4),
            Status = reader.GetString(5),
            ManagedBy = reader.GetString(6),
            AssignedTo = reader.Value<Guid>(7),
            Version = reader.GetInt64(8),
            Epoch = reader.GetInt32(9),
            LastSequence = reader.GetInt64(10),
            LastMessageAt = reader.Value<DateTimeOffset>(11),
            LastInboundAt = reader.Value<DateTimeOffset>(12),
            EndedAt = reader.Value<DateTimeOffset>(13),
            FirstIdentity = reader.GetString(14),
            Name = reader.Text(15),
            Username = reader.Text(16),
            Phone = reader.Text(17),
            AiEnabled = reader.GetBoolean(18),
            LastInteractionAt = reader.Value<DateTimeOffset>(19),
            LastMessagePreview = reader.Text(20),
            UnreadCount = reader.GetInt32(21),
            UnreachableReason = reader.Text(22),
            Identities = reader.GetFieldValue<string[]>(23),
            CountedMonth = reader.Value<DateOnly>(24),
            PlatformUserId = reader.GetString(25),
            IsGroup = reader.GetBoolean(26),
            IsMuted = reader.GetBoolean(27),
            IsBlocked = reader.GetBoolean(28),
            FormerNames = [.. reader.GetFieldValue<string[]>(29).Zip(reader.GetFieldValue<DateTimeOffset[]>(30))],
            Unsent = [],
        };
        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        StoredTurn? turn = null;
        if (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            turn = new StoredTurn(reader.GetGuid(0), reader.Value<Guid>(1), reader.GetInt32(2), reader.GetInt32(3), reader.GetInt64(4), reader.GetInt64(5),
                reader.GetFieldValue<DateTimeOffset>(6), reader.Text(7));
        }
        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        var unsent = new List<StoredOutbound>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            unsent.Add(new StoredOutbound(reader.GetGuid(0), reader.GetInt64(1), reader.GetString(2), reader.GetBoolean(3), reader.GetInt16(4), reader.GetString(5), reader.Text(6),
                reader.Text(7), reader.Text(8), reader.Text(9), reader.Text(10)));
        }
        return conversation with { UnfinishedTurn = turn, Unsent = unsent };
    }

    /// <summary>
    /// Gives a further name to the contact who is known on this channel by one of <paramref name="known"/>; returns the key of that contact's conversation, or null when none
    /// of them is known. A name that was given up leads nowhere.
    /// </summary>
    /// <param name="isFormer">The name is one that the contact has already given up.</param>
    public async Task<string?> Adopt(Guid channelId, string identity, IReadOnlyList<string> known, bool isFormer, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            WITH met AS (
                SELECT k.id, k.organization_id, k.first_identity FROM contact_identities i JOIN contacts k ON k.id = i.contact_id
                WHERE i.channel_id = $1 AND i.identity = ANY($3) ORDER BY i.created_at LIMIT 1
            ), adopted AS (
                INSERT INTO contact_identities (channel_id, identity, contact_id, organization_id)
                SELECT $1, $2, met.id, met.organization_id FROM met WHERE NOT $4
                ON CONFLICT (channel_id, identity) DO NOTHING
            ), remembered AS (
                INSERT INTO former_identities (contact_id, identity, channel_id, organization_id, given_up_at)
                SELECT met.id, $2, $1, met.organization_id, now() FROM met WHERE $4
                ON CONFLICT (contact_id, identity) DO NOTHING
            )
            SELECT first_identity FROM met
            """);
        command.Parameters.Add(new() { Value = channelId });
        command.Parameters.Add(new() { Value = identity });
        command.Parameters.Add(new() { Value = known.ToArray() });
        command.Parameters.Add(new() { Value = isFormer });
        return (string?)await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The key of the conversation of whoever has the name now; null when nobody has, or it was given up.</summary>
    public async Task<string?> FindHolder(Guid channelId, string identity, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            SELECT k.first_identity FROM contact_identities i JOIN contacts k ON k.id = i.contact_id WHERE i.channel_id = $1 AND i.identity = $2
            """);
        command.Parameters.Add(new() { Value = channelId });
        command.Parameters.Add(new() { Value = identity });
        return (string?)await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The conversation that a message is in, by the platform's id of the message; null where there is none, or nobody has a name there any more.</summary>
    public async Task<MessageHome?> FindHomeOfMessage(Guid channelId, string platformMessageId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            SELECT k.first_identity, i.identity
            FROM messages m JOIN conversations c ON c.id = m.conversation_id JOIN contacts k ON k.id = c.contact_id JOIN contact_identities i ON i.contact_id = k.id
            WHERE m.channel_id = $1 AND m.platform_message_id = $2
            ORDER BY i.created_at DESC LIMIT 1
            """);
        command.Parameters.Add(new() { Value = channelId });
        command.Parameters.Add(new() { Value = platformMessageId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? new(reader.GetString(0), reader.GetString(1)) : null;
    }

    /// <summary>Other contacts of the channel who have some of the names now, or gave them up after a move that is told only now.</summary>
    /// <param name="movedAt">When the move happened; null where there is none.</param>
    public async Task<IReadOnlyList<NameHolder>> FindOtherHolders(
        Guid channelId, Guid contactId, IReadOnlyList<string> names, DateTimeOffset? movedAt, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            SELECT i.identity, k.id, k.first_identity, c.id, ARRAY(SELECT n.identity FROM contact_identities n WHERE n.contact_id = k.id),
                (SELECT m.sent_at FROM messages m WHERE m.conversation_id = c.id AND m.direction = 'inbound' ORDER BY m.sequence LIMIT 1), i.has_given_up
            FROM (
                SELECT h.contact_id, h.identity, false AS has_given_up FROM contact_identities h WHERE h.channel_id = $1 AND h.identity = ANY($2)
                UNION ALL
                SELECT f.contact_id, f.identity, true FROM former_identities f WHERE f.channel_id = $1 AND f.identity = ANY($2) AND f.given_up_at > $4
            ) i JOIN contacts k ON k.id = i.contact_id JOIN conversations c ON c.contact_id = k.id
            WHERE k.id <> $3
            """);
        command.Parameters.Add(new() { Value = channelId });
        command.Parameters.Add(new() { Value = names.ToArray() });
        command.Parameters.Add(new() { Value = contactId });
        command.Parameters.Add(new() { Value = (object?)movedAt?.ToUniversalTime() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var found = new List<NameHolder>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            found.Add(new(reader.GetString(0), reader.GetGuid(1), reader.GetString(2), reader.GetGuid(3), reader.GetFieldValue<string[]>(4), reader.Value<DateTimeOffset>(5), reader.GetBoolean(6)));
        }
        return found;
    }

    /// <summary>A contact's name is somebody else's from now on; false when it was given up before.</summary>
    public async Task<bool> GiveUpName(Guid contactId, string name, DateTimeOffset at, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT give_up_name($1, $2, $3)");
        command.Parameters.Add(new() { Value = contactId });
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = at });
        return (bool)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    /// <summary>Makes another conversation part of this one; false when this one was changed since its version was read, or the other is gone.</summary>
    public async Task<bool> Merge(Guid conversationId, long version, Guid otherId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT merge_conversations($1, $2, $3)");
        command.Parameters.Add(new() { Value = conversationId });
        command.Parameters.Add(new() { Value = version });
        command.Parameters.Add(new() { Value = otherId });
        return (bool)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    /// <summary>The message that holds the parts of an album, among the conversation's last hundred; null when none of them has come yet.</summary>
    public async Task<StoredAlbum?> FindAlbum(Guid conversationId, string albumId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            SELECT m.platform_message_id, m.sequence, m.text_content <> '' FROM (
                SELECT * FROM messages WHERE conversation_id = $1 ORDER BY sequence DESC LIMIT 100) m
            WHERE m.attachment_metadata ->> 'mediaGroupId' = $2 AND m.platform_message_id IS NOT NULL ORDER BY m.sequence LIMIT 1
            """);
        command.Parameters.Add(new() { Value = conversationId });
        command.Parameters.Add(new() { Value = albumId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false)
            ? new StoredAlbum(reader.GetString(0), reader.GetInt64(1), !reader.IsDBNull(2) && reader.GetBoolean(2))
            : null;
    }

    /// <summary>Edits and deletions that came before the messages that they are about: of each message the last one.</summary>
    public async Task<IReadOnlyList<MessageAmendment>> FindEarlyAmendments(Guid conversationId, IReadOnlyList<string> platformMessageIds, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            SELECT DISTINCT ON (m.reply_to_platform_id) m.reply_to_platform_id, m.content_type = 'revoke', m.text_content, m.attachment_url, m.attachment_metadata::text, m.sent_at
            FROM messages m WHERE m.conversation_id = $1 AND m.content_type IN ('edit', 'revoke') AND m.reply_to_platform_id = ANY($2)
            ORDER BY m.reply_to_platform_id, (m.content_type = 'revoke') DESC, m.sent_at DESC
            """);
        command.Parameters.Add(new() { Value = conversationId });
        command.Parameters.Add(new() { Value = platformMessageIds.ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var found = new List<MessageAmendment>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            found.Add(new()
            {
                PlatformMessageId = reader.GetString(0),
                Kind = reader.GetBoolean(1) ? AmendmentKind.Delete : AmendmentKind.Edit,
                Text = reader.Text(2),
                AttachmentUrl = reader.Text(3),
                AttachmentMetadata = reader.Text(4),
                At = reader.GetFieldValue<DateTimeOffset>(5),
            });
        }
        return found;
    }

    /// <summary>
    /// A message of a conversation that waits to be sent; null when it doesn't wait any more. It is outdated when the AI wrote it before a person took over.
    /// </summary>
    public async Task<(StoredOutbound Message, bool IsOutdated)?> FindWaitingMessage(Guid conversationId, Guid messageId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            SELECT m.id, m.sequence, m.sender_type, m.send_attempts, m.content_type, m.text_content, m.attachment_url, m.attachment_metadata::text, m.payload::text, m.reply_to_platform_id,
                m.sender_type = 'ai' AND EXISTS (SELECT FROM turns t JOIN conversations c ON c.id = t.conversation_id WHERE t.id = m.turn_id AND c.epoch > t.epoch)
            FROM messages m WHERE m.id = $2 AND m.conversation_id = $1 AND m.status = 'pending'
            """);
        command.Parameters.Add(new() { Value = conversationId });
        command.Parameters.Add(new() { Value = messageId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false)
            ? (new StoredOutbound(reader.GetGuid(0), reader.GetInt64(1), reader.GetString(2), false, reader.GetInt16(3), reader.GetString(4), reader.Text(5),
                reader.Text(6), reader.Text(7), reader.Text(8), reader.Text(9)), reader.GetBoolean(10))
            : null;
    }

    /// <summary>The sequence of a message by its id, when it is stored in this conversation.</summary>
    public async Task<long?> FindMessage(Guid conversationId, Guid messageId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT sequence FROM messages WHERE id = $1 AND conversation_id = $2");
        command.Parameters.Add(new() { Value = messageId });
        command.Parameters.Add(new() { Value = conversationId });
        return (long?)await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Channel and first name of a contact: the key of its conversation's grain. Null when there is no such contact.</summary>
    public async Task<(Guid ChannelId, string Identity)?> FindConversationOf(Guid contactId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT channel_id, first_identity FROM contacts WHERE id = $1");
        command.Parameters.Add(new() { Value = contactId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? (reader.GetGuid(0), reader.GetString(1)) : null;
    }

    /// <summary>The sequence of the first of the customer's messages that neither the AI nor a person has answered; null when there is none.</summary>
    public async Task<long?> FirstUnanswered(Guid conversationId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            SELECT min(m.sequence) FROM messages m
            WHERE m.conversation_id = $1 AND m.sender_type = 'user' AND is_said(m.content_type) AND m.deleted_at IS NULL AND m.sequence >
                coalesce((SELECT max(o.sequence) FROM messages o WHERE o.conversation_id = $1 AND o.direction = 'outbound' AND o.sender_type <> 'system'), 0)
            """);
        command.Parameters.Add(new() { Value = conversationId });
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as long?;
    }

    /// <summary>Keys (channel, first name) of an organization's conversations that wait for lack of quota, those that have waited longest first.</summary>
    public async Task<IReadOnlyList<(Guid ChannelId, string Identity)>> FindWaiting(Guid organizationId, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            SELECT k.channel_id, k.first_identity FROM conversations c JOIN contacts k ON k.id = c.contact_id
            WHERE c.organization_id = $1 AND c.status = 'escalated' AND c.managed_by = 'ai' ORDER BY c.last_message_at LIMIT $2
            """);
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var found = new List<(Guid, string)>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            found.Add((reader.GetGuid(0), reader.GetString(1)));
        }
        return found;
    }

    /// <summary>The platform id of the customer's last message, for a read mark.</summary>
    public async Task<string?> LastInboundPlatformId(Guid conversationId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            SELECT platform_message_id FROM messages WHERE conversation_id = $1 AND direction = 'inbound' AND platform_message_id IS NOT NULL AND is_said(content_type)
            ORDER BY sequence DESC LIMIT 1
            """);
        command.Parameters.Add(new() { Value = conversationId });
        return (string?)await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Keys (channel, first identity) of conversations whose turn nobody runs: its instance is gone, or has shown no heartbeat for <paramref name="deadAfter"/>. The
    /// database's clock decides.
    /// </summary>
    public async Task<IReadOnlyList<(Guid ChannelId, string Identity)>> FindAbandonedTurns(TimeSpan deadAfter, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            WITH abandoned AS (
                SELECT DISTINCT t.conversation_id FROM (
                    SELECT t.conversation_id FROM turns t
                    WHERE t.state IN ('settling', 'running')
                        AND NOT EXISTS (SELECT 1 FROM engine_instances e WHERE e.id = t.instance_id AND e.heartbeat_at >= now() - $1::interval)
                    ORDER BY t.due_at LIMIT $2) t)
            SELECT k.channel_id, k.first_identity FROM abandoned a JOIN conversations c ON c.id = a.conversation_id JOIN contacts k ON k.id = c.contact_id
            """);
        command.Parameters.Add(new() { Value = deadAfter });
        command.Parameters.Add(new() { Value = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var found = new List<(Guid, string)>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            found.Add((reader.GetGuid(0), reader.GetString(1)));
        }
        return found;
    }

    /// <summary>
    /// Messages that have waited to be sent for <paramref name="unsentAfter"/> by the database's clock, oldest first, with the keys (channel, first identity) of their
    /// conversations. They may wait for a reason, for long, in any number: so each look goes on after the one before.
    /// </summary>
    public async Task<IReadOnlyList<UnsentMessage>> FindUnsentMessages(TimeSpan unsentAfter, UnsentMessage? after, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            SELECT m.id, m.created_at, k.channel_id, k.first_identity
            FROM (
                SELECT m.id, m.created_at, m.conversation_id FROM messages m
                WHERE m.status IN ('pending', 'sending') AND m.created_at < now() - $1::interval AND (m.created_at, m.id) > ($2, $3)
                ORDER BY m.created_at, m.id LIMIT $4) m
            JOIN conversations c ON c.id = m.conversation_id JOIN contacts k ON k.id = c.contact_id
            ORDER BY m.created_at, m.id
            """);
        command.Parameters.Add(new() { Value = unsentAfter });
        command.Parameters.Add(new() { Value = after?.CreatedAt ?? DateTimeOffset.UnixEpoch });
        command.Parameters.Add(new() { Value = after?.Id ?? Guid.Empty });
        command.Parameters.Add(new() { Value = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var found = new List<UnsentMessage>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            found.Add(new(reader.GetGuid(0), reader.GetFieldValue<DateTimeOffset>(1), reader.GetGuid(2), reader.GetString(3)));
        }
        return found;
    }

    /// <summary>Shows that an instance is alive; removes those that have been gone for <paramref name="forget"/>.</summary>
    public async Task Heartbeat(Guid instanceId, string host, TimeSpan forget, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("""
            INSERT INTO engine_instances (id, host) VALUES ($1, $2)
            ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()
            """)
        { Parameters = { new() { Value = instanceId }, new() { Value = host } } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("DELETE FROM engine_instances WHERE heartbeat_at < now() - $1::interval") { Parameters = { new() { Value = forget } } });
        await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes the instance off the list at an orderly stop, so that its turns are taken over at once.</summary>
    public async Task Leave(Guid instanceId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("DELETE FROM engine_instances WHERE id = $1");
        command.Parameters.Add(new() { Value = instanceId });
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>Nullable columns.</summary>
public static class NullableColumns
{
    public static T? Value<T>(this NpgsqlDataReader reader, int ordinal) where T : struct => reader.IsDBNull(ordinal) ? null : reader.GetFieldValue<T>(ordinal);

    public static string? Text(this NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);
}

/// <summary>Who has a name, or has given it up: the contact, the key of its conversation and its id, all names of the contact, and since when the person has written.</summary>
public sealed record NameHolder(string Name, Guid ContactId, string FirstIdentity, Guid ConversationId, IReadOnlyList<string> Names, DateTimeOffset? FirstInboundAt, bool HasGivenUp = false);

/// <summary>The conversation that a message is in: the key of its grain, and the newest name of its contact.</summary>
public sealed record MessageHome(string FirstIdentity, string Name);

/// <summary>The message that holds the parts of an album.</summary>
public sealed record StoredAlbum(string PlatformMessageId, long Sequence, bool HasText);

/// <summary>A message that waits to be sent, and whose it is.</summary>
/// <param name="ChannelId">With <paramref name="Identity"/> the key of its conversation.</param>
/// <param name="Identity">The contact's first identity at the platform.</param>
public sealed record UnsentMessage(Guid Id, DateTimeOffset CreatedAt, Guid ChannelId, string Identity);
