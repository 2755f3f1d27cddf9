using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;

namespace AgentPlatform.Api.Knowledge;

/// <summary>Counts how often an article was shown to somebody.</summary>
internal static class ArticleViews
{
    private static readonly Operation Operation = new()
    {
        Id = "countKnowledgeArticleView",
        Tag = "knowledge articles",
        Summary = "Count that the article was shown to somebody",
        Description = "For a page that shows articles. Counting is no change of the article: its version stays.",
        Role = Role.Viewer,
        Answer = ArticleResource.Articles.Shape,
        AnswerName = ArticleResource.Articles.SchemaName,
        AnswersEntityTag = true,
    };

    public static void MapArticleViews(IEndpointRouteBuilder routes) => routes.MapOperation("POST", "/v1/knowledge-articles/{id}/view", Operation, Count);

    private static async Task<IResult> Count(OperationRequest request)
    {
        if (request.PathId() is not { } id)
        {
            return Problem.NotFound();
        }
        await request.InTransaction(async session =>
        {
            await session.ExecuteAsync(
                "UPDATE knowledge_articles SET view_count = view_count + 1 WHERE organization_id = $1 AND id = $2", request.Cancelled, request.Caller.OrganizationId, id);
            await session.CommitAsync(request.Cancelled);
        });
        return await ResourceReads.Read(ArticleResource.Articles, request);
    }
}
