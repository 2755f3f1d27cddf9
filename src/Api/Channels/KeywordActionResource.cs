using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Channels;

/// <summary>What a keyword does in a channel.</summary>
internal static class KeywordActionResource
{
    public static readonly Resource KeywordActions = new()
    {
        Path = "keyword-actions",
        Singular = "keywordAction",
        Plural = "keywordActions",
        Table = "keyword_actions",
        Description = "What a keyword does in a channel: switch the AI on or off, mute or block the contact, or answer with a content collection.",
        Import = new("keyword") { Within = "channelId" },
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Manager,
        Fields =
        [
            Reference("channelId", "channels").Required().Fixed().Filtered(),
            Name("keyword").Required().Sorted().Searched() with { Recognition = "comparable_keyword(t.keyword) = comparable_keyword({0})" },
            Choice("actionType", "ENABLE_AI", "DISABLE_AI", "SEND_COLLECTION", "MUTE_CONTACT", "BLOCK_CONTACT").Required().Filtered(),
            Text("collectionId", 200).Nullable().Named().About("`collectionId` of a content collection of the channel; exactly for SEND_COLLECTION."),
        ],
        Example = new() { ["channelId"] = "0196f1c0-7d00-7c3e-9a55-5f0c1b2a3d4e", ["keyword"] = "human", ["actionType"] = "DISABLE_AI" },
        Uniques = [new("one_action_per_keyword", "keyword", "The channel has an action for this keyword.")],
        BeforeWrite = CheckCollection,
    };

    private static async Task<Problem?> CheckCollection(ResourceChange change)
    {
        if (change.IsDeletion)
        {
            return null;
        }
        var collection = change.Resulting<string>("collectionId");
        if (change.Resulting<string>("actionType") == "SEND_COLLECTION" != collection is not null)
        {
            return Problem.Invalid("/collectionId", "/collectionId must be given for SEND_COLLECTION, and only for it.");
        }
        return collection is null || await change.Session.ScalarAsync<bool>(
            "SELECT true FROM content_collections WHERE channel_id = $1 AND collection_id = $2", change.Request.Cancelled, change.Resulting<Guid>("channelId"), collection)
                ? null
                : Problem.Invalid("/collectionId", "/collectionId names no content collection of the channel.");
    }
}
