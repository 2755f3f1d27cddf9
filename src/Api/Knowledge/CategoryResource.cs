using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Knowledge;

/// <summary>A tree in which articles stand.</summary>
internal static class CategoryResource
{
    public static readonly Resource Categories = new()
    {
        Path = "knowledge-categories",
        Singular = "knowledgeCategory",
        Plural = "knowledgeCategories",
        Table = "knowledge_categories",
        Description = "A tree in which articles stand. Deleting a category deletes those below it; its articles stay.",
        Import = new(),
        KnownBy = ["title"],
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Manager,
        DefaultSort = "sortOrder",
        Fields =
        [
            Reference("parentId", "knowledge_categories").Nullable().Filtered(),
            Name("title").Required().Sorted().Searched(),
            Text("description", 4000).Nullable(),
            Integer("sortOrder").WithDefault(0).Sorted(),
        ],
        BeforeWrite = CheckTree,
    };

    /// <summary>No category is above itself.</summary>
    private static async Task<Problem?> CheckTree(ResourceChange change) =>
        !change.IsCreation && change.Values.Id("parentId") is { } parent && await change.Session.ScalarAsync<bool>(
            """
            WITH RECURSIVE above (id, parent_id) AS (
                SELECT c.id, c.parent_id FROM knowledge_categories c WHERE c.id = $1
                UNION SELECT c.id, c.parent_id FROM knowledge_categories c JOIN above a ON c.id = a.parent_id)
            SELECT true FROM above WHERE id = $2
            """,
            change.Request.Cancelled, parent, change.Id)
                ? Problem.Invalid("/parentId", "/parentId would put the category below itself.")
                : null;
}
