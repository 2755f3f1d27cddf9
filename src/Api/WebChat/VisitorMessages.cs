using System.Text.Json;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using Npgsql;

namespace AgentPlatform.Api.WebChat;

/// <summary>One message as a visitor may see it: never a note, never who is behind an id, never a raw payload.</summary>
internal sealed record VisitorMessage
{
    public required Guid Id { get; init; }
    public required long Sequence { get; init; }
    public required string Direction { get; init; }
    public required string Status { get; init; }

    /// <summary>The same as JSON.</summary>
    public required ReadOnlyMemory<byte> Json { get; init; }

    /// <summary>True for a message of ours that nobody has recorded as delivered yet.</summary>
    public bool IsUndelivered => Direction == "outbound" && Status == "sent";
}

/// <summary>What a look at a conversation found.</summary>
/// <param name="ConversationId">Null before the visitor's first message.</param>
/// <param name="IsTyping">An answer is being worked out or is on its way.</param>
/// <param name="Messages">In the order of their sequence.</param>
/// <param name="HasMore">There are more beyond the page.</param>
/// <param name="IsFromStart">The position asked for lies beyond the conversation's end, so it was another conversation's: this begins with the first message.</param>
internal sealed record VisitorPage(Guid? ConversationId, bool IsTyping, IReadOnlyList<VisitorMessage> Messages, bool HasMore, bool IsFromStart = false);

/// <summary>
/// Reads a visitor's conversation. It ends before the first message that is not on its way yet: a reader that asks for what is after the last sequence
/// that it has seen gets every message once, and none that a person's takeover may still withdraw. A position beyond the conversation's end can't have come
/// from it (the visitor is another one now, the contact was erased, the database restored): taken at its word it would hide all that comes, so it counts for nothing.
/// </summary>
internal sealed class VisitorMessages(ApiDataSource database)
{
    // $1 channel, $2 visitor, $3 after (exclusive), $4 before (exclusive), $5 limit
    private const string Conversation = """
        with conversation as (
            select c.id, c.last_sequence, case when $3 > c.last_sequence then 0 else $3 end as after, unsent.first, (unsent.first is not null or exists (
                select from turns t where t.conversation_id = c.id and (t.state = 'running' or (t.state = 'settling' and t.due_at <= now() + interval '3 seconds')))) as is_typing
            from contact_identities i
            join conversations c on c.contact_id = i.contact_id and c.channel_id = i.channel_id
            left join lateral (select min(m.sequence) as first from messages m where m.conversation_id = c.id and m.status in ('pending', 'sending')) unsent on true
            where i.channel_id = $1 and i.identity = $2)
        select c.id, c.is_typing, m.id, m.sequence, m.direction, m.sender_type, m.sender_name, m.is_automatic, m.content_type, m.status, m.text_content,
            m.attachment_url, m.filename, m.mime_type, m.choices, m.platform_message_id, m.sent_at, $3 > c.last_sequence
        from conversation c
        left join lateral (
            select m.id, m.sequence, m.direction, m.sender_type, case when m.sender_type = 'agent' then u.first_name end as sender_name,
                coalesce(t.responder in ('built_in', 'keyword'), false) as is_automatic, m.content_type, m.status, m.text_content, m.attachment_url,
                m.attachment_metadata ->> 'filename' as filename, m.attachment_metadata ->> 'mimeType' as mime_type, m.payload -> 'choices' as choices,
                m.platform_message_id, m.sent_at
            from messages m
            left join turns t on t.id = m.turn_id and m.sender_type = 'ai'
            left join users u on u.id = m.sender_id
            where m.conversation_id = c.id and m.sequence > c.after and m.sequence < $4 and (c.first is null or m.sequence < c.first)
              and m.direction in ('inbound', 'outbound') and m.status <> 'failed'
        """;

    private const string Forward = Conversation + "\n    order by m.sequence limit $5) m on true order by m.sequence";

    private const string Backward = Conversation + "\n    order by m.sequence desc limit $5) m on true order by m.sequence";

    /// <summary>The messages after a sequence, oldest first.</summary>
    public Task<VisitorPage> After(Widget widget, Visitor visitor, long after, int limit, CancellationToken cancellationToken) =>
        Read(Forward, widget, visitor, after, long.MaxValue, limit, cancellationToken);

    /// <summary>The last messages before a sequence, oldest first.</summary>
    public Task<VisitorPage> Before(Widget widget, Visitor visitor, long before, int limit, CancellationToken cancellationToken) =>
        Read(Backward, widget, visitor, 0, before, limit, cancellationToken);

    private async Task<VisitorPage> Read(string sql, Widget widget, Visitor visitor, long after, long before, int limit, CancellationToken cancellationToken)
    {
        await using var reader = await TenantSession.ReadAsync(database, widget.Tenant, sql, cancellationToken, widget.ChannelId, visitor.Identity, after, before, limit + 1);
        Guid? conversation = null;
        var isTyping = false;
        var isFromStart = after > 0;
        var messages = new List<VisitorMessage>();
        while (await reader.ReadAsync(cancellationToken))
        {
            conversation = reader.GetGuid(0);
            isTyping = reader.GetBoolean(1);
            isFromStart = reader.GetBoolean(17);
            if (!reader.IsDBNull(2))
            {
                messages.Add(Message(reader, visitor));
            }
        }
        var hasMore = messages.Count > limit;
        if (hasMore)
        {
            messages.RemoveAt(ReferenceEquals(sql, Backward) ? 0 : messages.Count - 1);
        }
        return new VisitorPage(conversation, isTyping, messages, hasMore, isFromStart);
    }

    private static VisitorMessage Message(NpgsqlDataReader row, Visitor visitor)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            Write(json, row, visitor);
        }
        return new VisitorMessage
        {
            Id = row.GetGuid(2),
            Sequence = row.GetInt64(3),
            Direction = row.GetString(4),
            Status = row.GetString(9),
            Json = buffer.WrittenMemory,
        };
    }

    private static void Write(Utf8JsonWriter json, NpgsqlDataReader row, Visitor visitor)
    {
        json.WriteStartObject();
        json.WriteString("id", row.GetGuid(2));
        json.WriteString("conversationId", row.GetGuid(0));
        json.WriteString("clientMessageId", VisitorMessageIds.ToClient(visitor, Text(row, 15)));
        json.WriteNumber("sequence", row.GetInt64(3));
        json.WriteString("direction", row.GetString(4));
        json.WriteString("senderType", row.GetString(5));
        json.WriteString("senderName", Text(row, 6));
        json.WriteBoolean("isAutomatic", row.GetBoolean(7));
        json.WriteString("contentType", row.GetString(8));
        json.WriteString("status", row.GetString(9));
        json.WriteString("textContent", Text(row, 10));
        json.WriteString("attachmentUrl", Text(row, 11));
        json.WriteStartObject("attachment");
        json.WriteString("filename", Text(row, 12));
        json.WriteString("mimeType", Text(row, 13));
        json.WriteEndObject();
        json.WritePropertyName("choices");
        json.WriteRawValue(Text(row, 14) ?? "[]");
        json.WriteString("sentAt", row.GetFieldValue<DateTimeOffset>(16));
        json.WriteEndObject();
    }

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}

/// <summary>
/// A visitor's message carries an id that the browser made. In the channel it is unique with the visitor's id before it, so that no visitor can take an
/// id of another's message, or of ours.
/// </summary>
internal static class VisitorMessageIds
{
    public static string ToPlatform(Visitor visitor, Guid messageId) => $"{visitor.Identity}:{messageId:D}";

    /// <summary>The browser's id, or null for a message of ours.</summary>
    public static string? ToClient(Visitor visitor, string? platformMessageId) =>
        platformMessageId is not null && platformMessageId.Length > 33 && platformMessageId.StartsWith(visitor.Identity, StringComparison.Ordinal) && platformMessageId[32] == ':'
            ? platformMessageId[33..]
            : null;
}
