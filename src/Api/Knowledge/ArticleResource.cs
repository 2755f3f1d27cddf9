using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Knowledge;

/// <summary>Pages that agents know.</summary>
internal static class ArticleResource
{
    public static readonly Resource Articles = new()
    {
        Path = "knowledge-articles",
        Singular = "knowledgeArticle",
        Plural = "knowledgeArticles",
        Table = "knowledge_articles",
        Description = "Pages that agents know. After a change the article is cut into passages again (`indexedVersion` reaches `version`); only published ones are used.",
        Import = new(),
        Create = Role.Manager,
        Update = Role.Manager,
        AllowsBulkUpdate = true,
        Delete = Role.Manager,
        Fields =
        [
            Reference("categoryId", "knowledge_categories").Nullable().Filtered(),
            Reference("agentId", "agents").Nullable().Filtered().About("Only this agent knows it; null for every agent."),
            Name("title", 500).Required().Sorted().Searched(),
            Prose("content", 500_000).Required().Detail(),
            Text("summary", 4000).Nullable().Searched(),
            Language("language").Nullable().Filtered(),
            Tags("tags").Filtered(),
            Flag("isPublished").WithDefault(true).Filtered(),
            Integer("viewCount").ReadOnly(),
            Timestamp("indexedAt").Nullable().ReadOnly(),
            Long("indexedVersion").Nullable().ReadOnly(),
        ],
    };
}
