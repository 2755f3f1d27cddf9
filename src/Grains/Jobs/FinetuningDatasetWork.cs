using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Grains.Jobs;

/// <summary>
/// Makes a training file for a model out of conversations: one JSON object on each line, in the form that providers take for fine-tuning chat models
/// (<c>{"messages": [{"role", "content"}]}</c>). Each line ends with an answer. A page of conversations and the piece of the file are one transaction.
/// </summary>
internal sealed class FinetuningDatasetWork(EngineDataSource database, ApiDataSource tenants, FileStore files, FileLimits limits, TimeProvider clock) : IJobWork
{
    public const string WorkName = "finetuning_dataset";

    /// <summary>Conversations of a page.</summary>
    public const int PageConversations = 100;

    /// <summary>The newest conversations first, each with its newest 200 texts in order. $1 organization, $2 agent or null, $3 and $4 before.</summary>
    private const string Page = """
        SELECT c.id, c.last_message_at, (
            SELECT jsonb_agg(jsonb_build_object('role', CASE WHEN m.direction = 'inbound' THEN 'user' ELSE 'assistant' END, 'content', m.text_content) ORDER BY m.sequence)
            FROM (SELECT m.* FROM messages m WHERE m.conversation_id = c.id AND m.direction IN ('inbound', 'outbound') AND m.status <> 'failed' AND m.text_content <> ''
                ORDER BY m.sequence DESC LIMIT 200) m)::text
        FROM conversations c
        WHERE c.organization_id = $1 AND ($2::uuid IS NULL OR c.agent_id = $2) AND (c.last_message_at, c.id) < ($3, $4)
        ORDER BY c.last_message_at DESC, c.id DESC LIMIT 100
        """;

    public string Name => WorkName;

    public async Task<string?> Run(JobRun run, CancellationToken cancellationToken)
    {
        var tenant = new Tenant(run.Job.OrganizationId, run.Job.UserId);
        var order = run.Payload<Order>();
        var reached = run.Position<Reached>();
        if (reached is null)
        {
            await using var session = await TenantSession.OpenAsync(tenants, tenant, cancellationToken).ConfigureAwait(false);
            var file = await files.Create(session, tenant, new NewFile
            {
                Purpose = "export",
                Name = "finetuning.jsonl",
                ContentType = "application/jsonl; charset=utf-8",
                JobId = run.Job.Id,
                MinimumRole = "admin",
                RequiredScope = "conversations:read",
                ExpiresAt = clock.GetUtcNow() + limits.ExportLife,
            }, cancellationToken).ConfigureAwait(false);
            reached = new Reached(file, 0, 0, clock.GetUtcNow().AddDays(1), Guid.Empty, false);
            await run.Commit(session, reached, new JobProgress { Phase = "collecting" }, cancellationToken).ConfigureAwait(false);
        }
        while (!reached.IsLast)
        {
            reached = await Next(run, tenant, order, reached, cancellationToken).ConfigureAwait(false);
        }
        var size = await files.Complete(tenant, reached.FileId, cancellationToken).ConfigureAwait(false);
        return JsonSerializer.Serialize(new { fileId = reached.FileId, examples = reached.Examples, size }, JsonSerializerOptions.Web);
    }

    private sealed record Order(Guid? AgentId, string? System);

    private sealed record Reached(Guid FileId, long Size, long Examples, DateTimeOffset Before, Guid BeforeId, bool IsLast);

    private async Task<Reached> Next(JobRun run, Tenant tenant, Order order, Reached reached, CancellationToken cancellationToken)
    {
        var content = new StringBuilder();
        var (count, examples, after) = (0, reached.Examples, reached);
        // As the engine, not as the tenant: with a comparison of the organization on each message, one that an index serves, all of its messages may be read for each conversation.
        await using (var page = database.CreateCommand(Page))
        {
            page.Parameters.Add(new() { Value = tenant.OrganizationId });
            page.Parameters.Add(new() { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid, Value = (object?)order.AgentId ?? DBNull.Value });
            page.Parameters.Add(new() { Value = reached.Before });
            page.Parameters.Add(new() { Value = reached.BeforeId });
            await using var rows = await page.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                count++;
                after = after with { BeforeId = rows.GetGuid(0), Before = rows.GetFieldValue<DateTimeOffset>(1) };
                if (!await rows.IsDBNullAsync(2, cancellationToken).ConfigureAwait(false) && Example(JsonNode.Parse(rows.GetString(2))!.AsArray(), order.System) is { } example)
                {
                    content.Append(example).Append('\n');
                    examples++;
                }
            }
        }
        await using var session = await TenantSession.OpenAsync(tenants, tenant, cancellationToken).ConfigureAwait(false);
        var bytes = Encoding.UTF8.GetBytes(content.ToString());
        if (bytes.Length > 0)
        {
            await FileStore.Write(session, tenant.OrganizationId, reached.FileId, reached.Size, bytes, cancellationToken).ConfigureAwait(false);
        }
        after = after with { Size = reached.Size + bytes.Length, Examples = examples, IsLast = count < PageConversations };
        var processed = run.Progress.Processed + count;
        await run.Commit(session, after, new JobProgress { Processed = processed, Succeeded = examples, Phase = "collecting" }, cancellationToken).ConfigureAwait(false);
        return after;
    }

    /// <summary>A line, or null for a conversation that holds no question with an answer. Messages of one side that follow each other are one.</summary>
    internal static string? Example(JsonArray messages, string? system)
    {
        var turns = new List<(string Role, string Content)>();
        foreach (var message in messages)
        {
            var (role, content) = (message!["role"]!.GetValue<string>(), message["content"]!.GetValue<string>());
            if (turns.Count > 0 && turns[^1].Role == role)
            {
                turns[^1] = (role, turns[^1].Content + "\n" + content);
            }
            else if (turns.Count > 0 || role == "user")
            {
                turns.Add((role, content));
            }
        }
        if (turns.Count > 0 && turns[^1].Role == "user")
        {
            turns.RemoveAt(turns.Count - 1);
        }
        if (turns.Count == 0)
        {
            return null;
        }
        var line = new JsonArray();
        if (system is not null)
        {
            line.Add((JsonNode)new JsonObject { ["role"] = "system", ["content"] = system });
        }
        foreach (var (role, content) in turns)
        {
            line.Add((JsonNode)new JsonObject { ["role"] = role, ["content"] = content });
        }
        return new JsonObject { ["messages"] = line }.ToJsonString();
    }
}
