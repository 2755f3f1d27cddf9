using System.Collections.Frozen;
using AgentPlatform.Api.Conversations;
using AgentPlatform.Api.Crm;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Automation;

/// <summary>What rules, sequences, workflows and agents may look at, and what they may write, by name: <c>client.status</c>.</summary>
internal static class KnownFields
{
    private static readonly TextType Words = new(1000, MinLength: 1, Example: "text");

    private static readonly (string Name, FieldType Type, bool IsWritable)[] Declared =
    [
        ("message.text", Words, false),
        ("message.contentType", Words, false),
        ("message.language", Words, false),
        ("contact.name", Words, false),
        ("contact.language", Words, false),
        ("channel.platform", new ChoiceType("whatsapp", "facebook", "instagram", "telegram", "sms", "email", "web", "phone"), false),
        ("conversation.status", TypeOf(ConversationResource.Conversations, "status"), false),
        ("conversation.managedBy", TypeOf(ConversationResource.Conversations, "managedBy"), false),
        ("client.clientType", TypeOf(ClientResource.Clients, "clientType"), true),
        ("client.status", TypeOf(ClientResource.Clients, "status"), true),
        ("client.lifecycleStage", TypeOf(ClientResource.Clients, "lifecycleStage"), true),
        ("client.leadQuality", TypeOf(ClientResource.Clients, "leadQuality"), true),
        ("client.leadScore", TypeOf(ClientResource.Clients, "leadScore"), true),
        ("client.firstName", TypeOf(ClientResource.Clients, "firstName"), true),
        ("client.lastName", TypeOf(ClientResource.Clients, "lastName"), true),
        ("client.companyName", TypeOf(ClientResource.Clients, "companyName"), true),
        ("client.email", TypeOf(ClientResource.Clients, "email"), true),
        ("client.phone", TypeOf(ClientResource.Clients, "phone"), true),
        ("client.preferredLanguage", TypeOf(ClientResource.Clients, "preferredLanguage"), true),
        ("client.source", TypeOf(ClientResource.Clients, "source"), true),
        ("client.tags", TypeOf(ClientResource.Clients, "tags"), true),
        ("client.nextFollowUpDate", TypeOf(ClientResource.Clients, "nextFollowUpDate"), true),
        ("client.lastContactDate", TypeOf(ClientResource.Clients, "lastContactDate"), false),
        ("client.totalOrders", TypeOf(ClientResource.Clients, "totalOrders"), false),
        ("client.totalRevenue", TypeOf(ClientResource.Clients, "totalRevenue"), false),
        ("deal.stage", new ChoiceType("prospecting", "qualification", "proposal", "negotiation", "closed_won", "closed_lost"), true),
        ("deal.value", new NumberType(0, 9_999_999_999.99m, 2), true),
        ("deal.probability", new IntegerType(0, 100), true),
        ("deal.lostReason", Words, true),
    ];

    private static readonly FrozenDictionary<string, FieldType> Types = Declared.ToFrozenDictionary(field => field.Name, field => field.Type);

    /// <summary>All of them.</summary>
    public static readonly string[] Readable = [.. Declared.Select(field => field.Name)];

    /// <summary>Those that may be written.</summary>
    public static readonly string[] Writable = [.. Declared.Where(field => field.IsWritable).Select(field => field.Name)];

    public static FieldType Type(string name) => Types[name];

    private static FieldType TypeOf(Resource resource, string field) => resource.Shape.Find(field)!.Type;
}
