using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Llm;
using AgentPlatform.Grains.Llm.OpenAi;

namespace AgentPlatform.Grains.Knowledge;

/// <summary>Makes vectors of one model.</summary>
internal interface IKnowledgeEmbedder
{
    /// <summary>Stored beside each vector; vectors of different models are never compared.</summary>
    string Model { get; }

    /// <summary>One vector of 1536 dimensions and length 1 for each text, in order.</summary>
    Task<float[][]> Embed(IReadOnlyList<(string Text, string? Language)> texts, CancellationToken cancellationToken);
}

/// <summary>The embedders by the name of their model.</summary>
internal sealed class KnowledgeEmbedders(OpenAiTransport transport)
{
    private static readonly IKnowledgeEmbedder BuiltIn = new BuiltInKnowledgeEmbedder();

    /// <summary>The embedder that the organization's configuration asks for.</summary>
    public IKnowledgeEmbedder Wanted(OrganizationAgents organization) => organization.Embedder is { } endpoint ? new ProviderEmbedder(endpoint, transport) : BuiltIn;

    /// <summary>The embedder of a model, or null when the organization can't use it any more.</summary>
    public IKnowledgeEmbedder? For(OrganizationAgents organization, string model)
    {
        var wanted = Wanted(organization);
        return model == wanted.Model ? wanted : model == BuiltIn.Model ? BuiltIn : null;
    }

    private sealed class ProviderEmbedder(ModelEndpoint endpoint, OpenAiTransport transport) : IKnowledgeEmbedder
    {
        public string Model { get; } = $"{endpoint.Provider}/{endpoint.ModelId}/{OpenAiCompatibleEmbeddingGenerator.Dimensions}";

        public async Task<float[][]> Embed(IReadOnlyList<(string Text, string? Language)> texts, CancellationToken cancellationToken)
        {
            using var generator = new OpenAiCompatibleEmbeddingGenerator(endpoint, transport);
            var embeddings = await generator.GenerateAsync(texts.Select(text => text.Text), cancellationToken: cancellationToken).ConfigureAwait(false);
            return [.. embeddings.Select(embedding => embedding.Vector.ToArray())];
        }
    }

    private sealed class BuiltInKnowledgeEmbedder : IKnowledgeEmbedder
    {
        public string Model => BuiltInEmbedder.ModelName;

        public Task<float[][]> Embed(IReadOnlyList<(string Text, string? Language)> texts, CancellationToken cancellationToken) =>
            Task.FromResult(texts.Select(text => BuiltInEmbedder.Embed(text.Text, text.Language)).ToArray());
    }
}
