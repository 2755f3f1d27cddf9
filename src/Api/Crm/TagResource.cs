using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>The tags of the organization.</summary>
internal static class TagResource
{
    public static readonly Resource Tags = new()
    {
        Path = "tags",
        Singular = "tag",
        Plural = "tags",
        Table = "tags",
        Description = "The tags of clients, deals and notes. One that somebody uses is here by itself; a new name is carried to all who bear it, and a tag that is deleted is taken from them.",
        Import = new("name"),
        Create = Role.Member,
        Update = Role.Manager,
        Delete = Role.Manager,
        DefaultSort = "name",
        LockedFirst = "SELECT hold_bearers_of_tag($1, $2)",
        Fields =
        [
            Name("name", 100).Required().Sorted().Searched().Filtered().FoundBy("compared_name"),
            Matching("color", "^#[0-9A-Fa-f]{6}$", "a colour such as #3B82F6", "#3B82F6", 7).WithDefault("#3B82F6"),
            Text("category", 100).Nullable().AsWords().Filtered(),
        ],
        Uniques = [new("one_tag_per_name", "name", "There is a tag of this name.")],
    };
}
