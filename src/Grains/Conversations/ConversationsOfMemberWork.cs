using System.Text.Json;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Jobs;
using Npgsql;

namespace AgentPlatform.Grains.Conversations;

/// <summary>
/// Lets the open conversations of somebody who left the organization, or was suspended, wait for somebody else. What was done before a crash isn't found any more, so it has no
/// position.
/// </summary>
internal sealed class ConversationsOfMemberWork(EngineDataSource database, IGrainFactory grains) : IJobWork
{
    public const string WorkName = "conversations_of_member";

    /// <summary>Conversations between two looks whether the job is still wanted.</summary>
    private const int Chunk = 50;

    /// <summary>$1 organization, $2 person. None where he or she is back meanwhile.</summary>
    private const string Open = """
        SELECT c.channel_id, k.first_identity FROM conversations c JOIN contacts k ON k.id = c.contact_id
        WHERE c.assigned_to = $2 AND c.organization_id IS NOT DISTINCT FROM $1 AND c.status IN ('active', 'escalated')
            AND NOT EXISTS (SELECT FROM organization_members m WHERE m.organization_id = $1 AND m.user_id = $2 AND m.status = 'active')
        """;

    public string Name => WorkName;

    public bool IsForSomebody => false;

    public async Task<string?> Run(JobRun run, CancellationToken cancellationToken)
    {
        var change = new ConversationChange
        {
            Action = ConversationAction.Vacate,
            AssigneeId = run.Payload<Order>().UserId,
            Actor = new Actor { OrganizationId = run.Job.OrganizationId },
        };
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        long released = 0;
        foreach (var chunk in (await Find(connection, change, cancellationToken).ConfigureAwait(false)).Chunk(Chunk))
        {
            foreach (var key in chunk)
            {
                await grains.GetGrain<IConversationGrain>(key.ToString()).Change(change).ConfigureAwait(false);
            }
            released += chunk.Length;
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await run.Commit(transaction, null, new JobProgress { Processed = released, Succeeded = released, Phase = "releasing" }, cancellationToken).ConfigureAwait(false);
        }
        return JsonSerializer.Serialize(new { released }, JsonSerializerOptions.Web);
    }

    private sealed record Order(Guid UserId);

    private static async Task<List<ConversationKey>> Find(NpgsqlConnection connection, ConversationChange change, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Open, connection) { Parameters = { new() { Value = change.Actor.OrganizationId }, new() { Value = change.AssigneeId!.Value } } };
        await using var rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var found = new List<ConversationKey>();
        while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            found.Add(new ConversationKey(rows.GetGuid(0), rows.GetString(1)));
        }
        return found;
    }
}
