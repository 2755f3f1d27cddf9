using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Knowledge;

/// <summary>The pieces in which knowledge is found. The engine alone writes them.</summary>
internal static class ChunkResource
{
    public static readonly Resource Chunks = new()
    {
        Path = "knowledge-chunks",
        Singular = "knowledgeChunk",
        Plural = "knowledgeChunks",
        Table = "knowledge_chunks",
        HasVersion = false,
        HasUpdatedAt = false,
        Description = "The pieces into which articles and sources are cut, and in which agents find their answers.",
        Fields =
        [
            Reference("articleId", "knowledge_articles").Nullable().ReadOnly().Filtered(),
            Reference("sourceId", "knowledge_sources").Nullable().ReadOnly().Filtered(),
            Reference("agentId", "agents").Nullable().ReadOnly().Filtered().About("Only this agent knows it; null for every agent."),
            Integer("chunkIndex").ReadOnly().About("Its place in the article or source, from 0."),
            Text("content", 100_000).ReadOnly(),
            Text("language", 35).Nullable().ReadOnly(),
            Json("metadata").ReadOnly().About("Title, heading and tags of where it comes from."),
            Text("embeddingModel", 200).Nullable().ReadOnly().About("Which model made its vector; null while it waits for one."),
        ],
    };
}
