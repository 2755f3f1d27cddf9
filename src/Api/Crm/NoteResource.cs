using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>What people want to remember about a client or a deal.</summary>
internal static class NoteResource
{
    public static readonly Resource Notes = new()
    {
        Path = "notes",
        Singular = "note",
        Plural = "notes",
        Table = "notes",
        Description = "What people want to remember about a client or a deal. Pinned notes come first, then the newest.",
        Import = new() { Kept = ["createdAt"] },
        Create = Role.Member,
        Update = Role.Member,
        AllowsBulkUpdate = true,
        Delete = Role.Member,
        DefaultSort = "-isPinned",
        Fields =
        [
            Reference("clientId", "clients").Nullable().Fixed().Filtered().About("The deal's client, where a deal is given and this is not. One of both is needed."),
            Reference("dealId", "deals").Nullable().Fixed().Filtered().About("A deal of the same client."),
            Text("title", 500).Nullable().Searched(),
            Prose("content", 50_000).Required().Searched(),
            Choice("noteType", "general", "call_log", "meeting_summary", "important").Nullable().Filtered(),
            Flag("isPinned").WithDefault(false).Filtered().Sorted(),
            BulkTagging.Own(),
            Mentions().WithDefault(new JsonArray()),
            Reference("createdBy", "users").Nullable().ReadOnly().Filtered(),
        ],
        Example = new() { ["clientId"] = "0196f1c0-7d00-7c3e-9a55-5f0c1b2a3d4e", ["content"] = "Eats no meat.", ["noteType"] = "important" },
        Checks =
        [
            new("note_is_about_a_client_or_a_deal", "clientId", "/clientId or /dealId must say what the note is about."),
            new("deal_belongs_to_the_client", "dealId", "/dealId must name a deal of the client."),
        ],
        Actions =
        [
            new("pin", "Put the note before the others", change => change.Set("isPinned", true)) { Past = "pinned" },
            new("unpin", "Put the note back among the others", change => change.Set("isPinned", false)) { Past = "unpinned" },
        ],
    };
}
