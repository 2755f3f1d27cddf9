using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Contacts;

/// <summary>People as one channel knows them. They come with their first message; the AI is switched for one by an action.</summary>
internal static class ContactResource
{
    public static readonly Resource Contacts = new()
    {
        Path = "contacts",
        Singular = "contact",
        Plural = "contacts",
        Table = "contacts",
        Description = "People as one channel knows them. They come with their first message.",
        Update = Role.Member,
        AllowsBulkUpdate = true,
        SearchCondition = "t.id IN (SELECT search_contacts({0}))",
        Fields =
        [
            Reference("channelId", "channels").ReadOnly().Filtered(),
            Reference("clientId", "clients").Nullable().Filtered().About("The person behind it, as the business knows them."),
            Choice("platform", "whatsapp", "facebook", "instagram", "telegram", "sms", "email", "web", "phone").ReadOnly().Filtered(),
            Text("platformUserId", 200).ReadOnly().Filtered(),
            Text("name", 400).Nullable().Searched(),
            Text("username", 200).Nullable().ReadOnly().Searched(),
            Text("phone", 50).Nullable().ReadOnly().Searched(),
            Url("avatarUrl").Nullable(),
            Language("language").Nullable().Filtered(),
            Flag("aiEnabled").ReadOnly().Filtered().About("Switched by `POST /v1/contacts/{id}/ai`."),
            Text("unreachableReason", 2000).Nullable().ReadOnly(),
            Timestamp("lastInteractionAt").Nullable().ReadOnly(),
            Text("lastMessagePreview", 2000).Nullable().ReadOnly(),
            Integer("unreadCount").ReadOnly(),
            Json("metadata"),
        ],
    };
}
