using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Channels;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Data.Texts;
using Npgsql;
using NpgsqlTypes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Knowledge;

/// <summary>Documents, pages and texts that agents may know.</summary>
internal static class SourceResource
{
    public static readonly Resource Sources = new()
    {
        Path = "knowledge-sources",
        Singular = "knowledgeSource",
        Plural = "knowledgeSources",
        Table = "knowledge_sources",
        Description = "Documents, pages and texts that agents may know. `status` tells how far one has been taken up: `pending`, `processing`, then `completed`, or `failed` with an `error`.",
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Manager,
        Fields =
        [
            Reference("agentId", "agents").Nullable().Filtered().About("Only this agent knows it; null for every agent."),
            Reference("categoryId", "knowledge_categories").Nullable().Filtered(),
            Name("name", 500).Required().Sorted().Searched(),
            Choice("type", "text", "url", "document", "pdf").Required().Fixed().Filtered(),
            Text("content", 1_000_000).Nullable().Detail().About("The text; required for `text`."),
            Url("url").Nullable().Called().About("The page; required for `url`, and only there."),
            Reference("fileId", "files").Nullable().Fixed().About("The uploaded file; required for `document` and `pdf`, and only there. It is kept as long as the source, and goes with it."),
            Text("storagePath", 500).Nullable().ReadOnly(),
            Choice("status", "pending", "processing", "completed", "failed").ReadOnly().Filtered(),
            Text("error", 4000).Nullable().ReadOnly(),
            Timestamp("processedAt").Nullable().ReadOnly(),
        ],
        Example = new() { ["name"] = "Prices", ["type"] = "url", ["url"] = "https://example.com/prices" },
        Uniques = [new("one_source_per_file", "fileId", "Another source has this file.")],
        BeforeWrite = async change => change.IsDeletion ? null : Check(change) ?? EndpointCheck.Refusal(change) ?? await TakeFile(change),
        AfterWrite = ForgetFile,
    };

    private static Problem? Check(ResourceChange change)
    {
        var (type, content, url) = (change.Resulting<string>("type"), change.Resulting<string>("content"), change.Resulting<string>("url"));
        return (type == "text", type == "url", ComparableText.IsBlank(content), url is null) switch
        {
            (true, _, true, _) => Problem.Invalid("/content", "/content is required for text."),
            (_, true, _, true) => Problem.Invalid("/url", "/url is required for url."),
            (_, false, _, false) => Problem.Invalid("/url", "/url must be given for url only."),
            _ => null,
        };
    }

    /// <summary>The file was uploaded for a while only; from now on it is kept.</summary>
    private static async Task<Problem?> TakeFile(ResourceChange change)
    {
        if (!change.IsCreation)
        {
            return null;
        }
        var isDocument = change.Values.Text("type") is "document" or "pdf";
        if (isDocument != change.Values.Id("fileId") is not null)
        {
            return Problem.Invalid("/fileId", "/fileId must be given for document and pdf, and only for them.");
        }
        if (!isDocument)
        {
            return null;
        }
        var id = change.Values.Id("fileId")!.Value;
        var taken = await change.Session.ExecuteAsync(
            "UPDATE files SET purpose = 'knowledge', expires_at = NULL, version = version + 1 WHERE organization_id = $1 AND id = $2 AND is_complete AND purpose = 'import'",
            change.Request.Cancelled, change.Caller.OrganizationId, id);
        change.Columns["storage_path"] = new NpgsqlParameter { Value = $"files/{id}", NpgsqlDbType = NpgsqlDbType.Text };
        return taken == 1 ? null : Problem.Invalid("/fileId", "/fileId must name an uploaded file that nothing else uses.");
    }

    private static async Task ForgetFile(ResourceChange change)
    {
        if (change.IsDeletion && change.Before?.Raw("fileId") is Guid file)
        {
            await change.Session.ExecuteAsync("DELETE FROM files WHERE organization_id = $1 AND id = $2", change.Request.Cancelled, change.Caller.OrganizationId, file);
        }
    }
}
