using AgentPlatform.Data.Texts;
using AgentPlatform.Grains.Llm.OpenAi;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Grains.Llm;

/// <summary>What a model answered, and what it cost.</summary>
internal sealed record ModelAnswer
{
    public required string Text { get; init; }
    public required ModelEndpoint Endpoint { get; init; }
    public required int InputTokens { get; init; }
    public required int OutputTokens { get; init; }

    /// <summary>The server told no usage: the tokens are estimated from the text.</summary>
    public required bool TokensEstimated { get; init; }

    /// <summary>The answer met its limit of tokens.</summary>
    public bool IsCutOff { get; init; }

    /// <summary>Why the first model gave no answer; null when it did.</summary>
    public string? FirstFailure { get; init; }
    public decimal Cost => Endpoint.CostOf(InputTokens, OutputTokens);
}

/// <summary>Asks an agent's model, and the next one when it fails.</summary>
internal sealed partial class ModelCaller(OpenAiTransport transport, ILogger<ModelCaller> logger)
{
    /// <summary>The first answer that one of the models gives.</summary>
    /// <param name="models">In the order in which they are asked.</param>
    /// <exception cref="LlmException">None gave one; the kind is that of the first model's failure.</exception>
    public async Task<ModelAnswer> Ask(IReadOnlyList<ModelEndpoint> models, IReadOnlyList<ChatMessage> prompt, float temperature, int maxTokens, CancellationToken cancellationToken)
    {
        LlmException? first = null;
        var reasons = new List<string>();
        foreach (var model in models)
        {
            try
            {
                var answer = await Ask(model, prompt, temperature, maxTokens, cancellationToken).ConfigureAwait(false);
                return answer with { FirstFailure = first is null ? null : string.Join(" ", reasons) };
            }
            catch (LlmException failure)
            {
                first ??= failure;
                reasons.Add($"{model}: {failure.Message}");
                LogFailed(model.OrganizationId, model.Provider, model.ModelId, failure.Kind);
            }
        }

        throw new LlmException(first?.Kind ?? LlmErrorKind.InvalidRequest, string.Join(" ", reasons), first);
    }

    private async Task<ModelAnswer> Ask(ModelEndpoint model, IReadOnlyList<ChatMessage> prompt, float temperature, int maxTokens, CancellationToken cancellationToken)
    {
        using var client = new OpenAiCompatibleChatClient(model, transport);
        var response = await client.GetResponseAsync(prompt, new ChatOptions { Temperature = temperature, MaxOutputTokens = maxTokens }, cancellationToken).ConfigureAwait(false);
        if (ComparableText.IsBlank(response.Text))
        {
            throw new LlmException(LlmErrorKind.BadAnswer, "The model's answer is empty.");
        }

        return new ModelAnswer
        {
            Text = response.Text,
            Endpoint = model,
            InputTokens = (int)Math.Clamp(response.Usage?.InputTokenCount ?? 0, 0, int.MaxValue),
            OutputTokens = (int)Math.Clamp(response.Usage?.OutputTokenCount ?? 0, 0, int.MaxValue),
            TokensEstimated = response.AdditionalProperties?[OpenAiCompatibleChatClient.UsageEstimated] is true,
            IsCutOff = response.FinishReason == ChatFinishReason.Length,
        };
    }

    [LoggerMessage(2421, LogLevel.Warning, "{Provider}/{Model} gave organization {OrganizationId} no answer: {Kind}")]
    private partial void LogFailed(Guid organizationId, string provider, string model, LlmErrorKind kind);
}
