using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Contacts;

/// <summary>People as one channel knows them. They come with their first message, or are made before it; the AI is switched for one by an action.</summary>
internal static class ContactResource
{
    public static readonly Resource Contacts = new()
    {
        Path = "contacts",
        Singular = "contact",
        Plural = "contacts",
        Table = "contacts",
        Description = "People as one channel knows them. They come with their first message; one that is made before it has an archived conversation, which opens with the first message of either side.",
        Import = new("platformUserId") { Within = "channelId", Kept = ["createdAt", "lastInteractionAt"] },
        Create = Role.Member,
        Update = Role.Member,
        AllowsBulkUpdate = true,
        SearchCondition = "t.id IN (SELECT search_contacts({0}))",
        // The conversation before its contact, as the engine has them: it follows the contact to another client.
        LockedFirst = "SELECT 1 FROM conversations v WHERE v.organization_id = $1 AND v.contact_id = $2 FOR NO KEY UPDATE",
        Fields =
        [
            Reference("channelId", "channels").Required().Fixed().Filtered(),
            Reference("clientId", "clients").Nullable().Filtered().About("The person behind it, as the business knows them. A new contact without one gets the client with its phone number, or a new one."),
            Choice("platform", "whatsapp", "facebook", "instagram", "telegram", "sms", "email", "web", "phone").ReadOnly().Filtered(),
            Identifier("platformUserId", 200).Required().Fixed().Filtered().About("What the platform calls the person now, and where messages go: the number without a plus on WhatsApp, the chat's number on Telegram, the number in E.164 form for SMS and phone, the address for e-mail.")
                with { Recognition = "t.platform_user_id IN ({0}, ltrim({0}, '+'), comparable_email({0})) AND t.platform_user_id = called_by_platform(t.platform, {0})" },
            Text("name", 400).Nullable().AsWords().Searched(),
            Text("username", 200).Nullable().Fixed().Searched(),
            Text("phone", 50).Nullable().Fixed().Searched(),
            Url("avatarUrl").Nullable(),
            Language("language").Nullable().Filtered(),
            Flag("aiEnabled").ReadOnly().Filtered().About("Switched by `POST /v1/contacts/{id}/ai`."),
            Flag("isGroup").ReadOnly().About("A group of people; nobody in it is answered in private."),
            Flag("isMuted").ReadOnly() with { Expression = "(t.muted_at IS NOT NULL)", Description = "No AI and no notifications. Set by `POST /v1/contacts/{id}/mute`." },
            Flag("isBlocked").ReadOnly() with { Expression = "(t.blocked_at IS NOT NULL)", Description = "Messages are kept, never answered and never counted, and nothing is sent. Set by `POST /v1/contacts/{id}/block`." },
            Text("unreachableReason", 2000).Nullable().ReadOnly(),
            Timestamp("lastInteractionAt").Nullable().ReadOnly(),
            Text("lastMessagePreview", 2000).Nullable().ReadOnly(),
            Integer("unreadCount").ReadOnly(),
            Json("metadata"),
        ],
        Example = new() { ["channelId"] = "0196f1c0-7d00-7c3e-9a55-5f0c1b2a3d4e", ["platformUserId"] = "15550001111", ["name"] = "Anna" },
        Uniques = [new("one_contact_per_platform_user", "platformUserId", "The channel has a contact that the platform calls so.")],
        Checks =
        [
            new("contact_is_new_to_its_channel", "platformUserId", IsAboutState: true),
            new("platform_user_id_fits_its_platform", "platformUserId", "/platformUserId is not what the channel's platform calls people."),
        ],
    };
}
