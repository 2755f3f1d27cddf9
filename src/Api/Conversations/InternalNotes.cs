using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Conversations;

/// <summary>What members keep about a conversation, beside it: the engine neither reads nor writes it, so it doesn't take part in the conversation's versions.</summary>
internal static class InternalNotes
{
    /// <summary>Longest notes of one conversation.</summary>
    public const int MaxLength = 20_000;

    private static readonly Operation Operation = new()
    {
        Id = "writeConversationNotes",
        Tag = "conversations",
        Summary = "Write the internal notes of the conversation",
        Description = "They take the place of the notes before; the last writer wins.",
        Role = Role.Member,
        Body = new Shape(Text("internalNotes", MaxLength).Nullable().Required()),
        Answer = ConversationResource.Conversations.Shape,
        AnswerName = ConversationResource.Conversations.SchemaName,
        AnswersEntityTag = true,
    };

    public static void MapInternalNotes(IEndpointRouteBuilder routes) => routes.MapOperation("POST", "/v1/conversations/{id}/internal-notes", Operation, Write);

    private static async Task<IResult> Write(OperationRequest request)
    {
        if (request.PathId() is not { } id)
        {
            return Problem.NotFound();
        }
        var isThere = await request.InTransaction(async session =>
        {
            var notes = request.Body.Text("internalNotes");
            await using (var before = await session.QueryAsync(
                """
                WITH held AS (SELECT id, internal_notes FROM conversations WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE)
                UPDATE conversations c SET internal_notes = $3, updated_at = now(), changed_alone_in = pg_current_xact_id() FROM held WHERE c.id = held.id
                RETURNING held.internal_notes
                """,
                request.Cancelled, request.Caller.OrganizationId, id, TextParameter(notes)))
            {
                if (!await before.ReadAsync(request.Cancelled))
                {
                    return false;
                }
                var old = await before.IsDBNullAsync(0, request.Cancelled) ? null : before.GetString(0);
                await before.DisposeAsync();
                await request.Service<ActivityLog>().WriteAsync(
                    session, request.Caller, "conversation.notes", "conversation", id, Json(old), Json(notes), [], request.Cancelled);
            }
            await session.CommitAsync(request.Cancelled);
            return true;
        });
        return isThere ? await ResourceReads.Read(ConversationResource.Conversations, request) : Problem.NotFound();
    }

    private static Npgsql.NpgsqlParameter TextParameter(string? text) => new() { Value = (object?)text ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text };

    private static ReadOnlyMemory<byte> Json(string? notes) => ActivityLog.Members(("internalNotes", notes));
}
