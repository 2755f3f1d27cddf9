using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Channels;

/// <summary>Ready-made answers that a keyword sends.</summary>
internal static class ContentCollectionResource
{
    public static readonly Resource ContentCollections = new()
    {
        Path = "content-collections",
        Singular = "contentCollection",
        Plural = "contentCollections",
        Table = "content_collections",
        Description = "Ready-made messages that a keyword sends, in order.",
        Import = new("collectionId") { Within = "channelId" },
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Manager,
        Fields =
        [
            Reference("channelId", "channels").Required().Fixed().Filtered(),
            Matching("collectionId", "^[A-Za-z0-9_.-]{1,200}$", "1 to 200 of A-Z a-z 0-9 _ . -", "welcome").Required().Fixed().Filtered(),
            Name("name").Required().Sorted().Searched(),
            Tags("items", 50, 4096).About("Messages, sent in this order."),
        ],
        Uniques = [new("collection_id_is_unique_in_channel", "collectionId", "The channel has a collection with this id.")],
    };
}
