using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.AI;

namespace AgentPlatform.Grains.Llm.OpenAi;

/// <summary>
/// A model behind any server that speaks OpenAI's chat completions. Answers are streamed, so that a model that has stopped is noticed soon, and
/// gathered: a stream that breaks is asked for again, since nobody has seen its beginning.
/// </summary>
internal sealed class OpenAiCompatibleChatClient(ModelEndpoint endpoint, OpenAiTransport transport) : IChatClient
{
    /// <summary>Name in <see cref="ChatResponse.AdditionalProperties"/>: true when the server told no usage and it was estimated.</summary>
    public const string UsageEstimated = "usage_estimated";

    private const string Path = "chat/completions";

    /// <inheritdoc />
    /// <exception cref="LlmException">There is no answer.</exception>
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var prompt = messages as IReadOnlyCollection<ChatMessage> ?? [.. messages];
        return transport.Send(endpoint, Path, OpenAiRequest.Chat(endpoint, prompt, options), (answer, ct) => Gather(prompt, answer, ct), cancellationToken);
    }

    /// <inheritdoc />
    /// <remarks>The pieces come when the answer is complete: what has been shown can't be taken back when the rest fails.</remarks>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var response = await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
        foreach (var update in response.ToChatResponseUpdates())
        {
            yield return update;
        }
    }

    /// <inheritdoc />
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata(endpoint.Provider, endpoint.BaseUrl, endpoint.ModelId)
        : serviceType.IsInstanceOfType(this) ? this
        : null;

    /// <inheritdoc />
    public void Dispose()
    {
    }

    private async Task<ChatResponse> Gather(IReadOnlyCollection<ChatMessage> prompt, OpenAiAnswer answer, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        string? finish = null, id = null, model = null;
        WireUsage? usage = null;
        await foreach (var chunk in OpenAiStream.Read(answer, cancellationToken).ConfigureAwait(false))
        {
            id ??= chunk.Id;
            model ??= chunk.Model;
            usage = chunk.Usage ?? usage;
            if (chunk.Choices is [var choice, ..])
            {
                text.Append((choice.Delta ?? choice.Message)?.Text());
                finish = choice.FinishReason ?? finish;
            }
        }

        if (finish == "content_filter" && text.Length == 0)
        {
            throw new LlmException(LlmErrorKind.ContentFiltered, "The provider's filter held the answer back.");
        }

        var isEstimated = usage is not { Prompt: not null, Completion: not null };
        var input = usage?.Prompt ?? prompt.Sum(message => TokenEstimate.Of(message.Text) + TokenEstimate.PerMessage);
        var output = usage?.Completion ?? TokenEstimate.Of(text.ToString());
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, text.ToString()))
        {
            ResponseId = id,
            ModelId = model ?? endpoint.ModelId,
            FinishReason = finish is null ? null : new ChatFinishReason(finish),
            Usage = new UsageDetails { InputTokenCount = input, OutputTokenCount = output, TotalTokenCount = input + output },
            AdditionalProperties = new AdditionalPropertiesDictionary { [UsageEstimated] = isEstimated },
        };
    }
}
