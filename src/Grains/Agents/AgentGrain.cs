using AgentPlatform.Agents;
using AgentPlatform.Data.Connections;
using AgentPlatform.Grains.Agents.Steps;
using Orleans.Concurrency;

namespace AgentPlatform.Grains.Agents;

/// <inheritdoc cref="IAgentGrain"/>
/// <remarks>Holds nothing but its key, so that questions need not wait for each other.</remarks>
[Reentrant]
internal sealed class AgentGrain(AgentDirectory directory, TurnRunner runner, EngineDataSource database, TimeProvider time) : Grain, IAgentGrain
{
    public async Task<AgentAnswer?> Ask(AgentQuestion question, CancellationToken cancellationToken)
    {
        var organization = await directory.Get(question.OrganizationId, cancellationToken);
        if (!organization.Agents.TryGetValue(this.GetPrimaryKey(), out var agent))
        {
            return null;
        }

        var context = new ConversationContext
        {
            Messages = [new ContextMessage(1, IsFromCustomer: true, AgentPlatform.Conversations.ContentTypes.Text, question.Text)],
            CustomerLanguage = question.Language,
        };
        var result = await runner.Answer(organization, agent, context, new TurnTimings(time), cancellationToken);
        if (result.Record.InputTokens + result.Record.OutputTokens > 0)
        {
            await RecordUsage(question.OrganizationId, result.Record.InputTokens + result.Record.OutputTokens, cancellationToken);
        }

        return new AgentAnswer
        {
            Text = string.Join("\n\n", result.Replies.Select(reply => reply.Text)),
            Responder = result.Record.Responder,
            Passages = result.Record.Passages,
            InputTokens = result.Record.InputTokens,
            OutputTokens = result.Record.OutputTokens,
        };
    }

    private async Task RecordUsage(Guid organizationId, int tokens, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            INSERT INTO usage_daily (organization_id, usage_date, tokens_consumed) VALUES ($1, $2, $3)
            ON CONFLICT (organization_id, usage_date) DO UPDATE SET tokens_consumed = usage_daily.tokens_consumed + excluded.tokens_consumed
            """);
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime) });
        command.Parameters.Add(new() { Value = (long)tokens });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
