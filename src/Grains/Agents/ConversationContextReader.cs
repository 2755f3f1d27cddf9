using System.Collections.Immutable;
using AgentPlatform.Data.Connections;
using Microsoft.Extensions.Options;
using Npgsql;

namespace AgentPlatform.Grains.Agents;

/// <summary>Reads what a turn knows of its conversation, in one round trip.</summary>
internal sealed class ConversationContextReader(EngineDataSource database, IOptions<AgentOptions> options)
{
    /// <summary>Messages that one turn answers at most; earlier ones are only remembered as far as the history goes.</summary>
    public const int MaxAskedMessages = 200;

    /// <summary>The history window, the customer, and how the last turn ended.</summary>
    public async Task<ConversationContext> Read(TurnRequest request, CancellationToken cancellationToken)
    {
        var asked = Math.Min(MaxAskedMessages, request.LastSequence - request.FirstSequence + 1);
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(MessagesSql)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = request.ConversationId },
                new NpgsqlParameter<Guid> { TypedValue = request.OrganizationId },
                new NpgsqlParameter<long> { TypedValue = request.LastSequence },
                new NpgsqlParameter<long> { TypedValue = Math.Max(asked, options.Value.HistoryMessages) },
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(CustomerSql)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = request.ContactId },
                new NpgsqlParameter<Guid> { TypedValue = request.OrganizationId },
                new NpgsqlParameter<Guid> { TypedValue = request.ConversationId },
                new NpgsqlParameter<Guid> { TypedValue = request.TurnId },
            },
        });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var messages = ImmutableArray.CreateBuilder<ContextMessage>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            messages.Add(new ContextMessage(reader.GetInt64(0), reader.GetBoolean(1), reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetString(3)));
        }

        messages.Reverse();
        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        var context = new ConversationContext { Messages = messages.ToImmutable(), FirstSequence = request.FirstSequence, LastSequence = request.LastSequence };
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false)
            ? context with
            {
                CustomerName = reader.IsDBNull(0) ? null : reader.GetString(0),
                CustomerLanguage = reader.IsDBNull(1) ? null : reader.GetString(1),
                PreviousOutcome = reader.IsDBNull(2) ? null : reader.GetString(2),
            }
            : context;
    }

    // Each table is reached by one key only: where a plan may choose between that and the organization's index, one made while the tables were small or while nobody
    // had counted them reads more and more of the organization's messages. The organization is compared all the same, in a way that no index serves.
    internal const string MessagesSql = """
        SELECT sequence, sender_type = 'user', content_type, text_content
        FROM messages
        WHERE conversation_id = $1 AND organization_id IS NOT DISTINCT FROM $2 AND sequence <= $3 AND direction <> 'internal' AND status <> 'failed'
          AND deleted_at IS NULL AND content_type NOT IN ('edit', 'revoke')
        ORDER BY sequence DESC LIMIT $4
        """;

    private const string CustomerSql = "SELECT customer_name, customer_language, previous_outcome FROM customer_of_turn($1, $2, $3, $4)";
}
