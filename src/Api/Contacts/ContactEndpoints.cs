using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Conversations;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Contacts;
using AgentPlatform.Conversations;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Contacts;

/// <summary>The AI on or off for one contact, muting and blocking: held hot by the conversation, so it goes through the grain.</summary>
internal static class ContactEndpoints
{
    private static readonly Operation AiOperation = new()
    {
        Id = "switchContactAi",
        WaitsForOthers = true,
        Tag = "contacts",
        Role = Role.Member,
        AnswersEntityTag = true,
        Summary = "Switch the AI on or off for a contact",
        Body = new Shape(Flag("enabled").Required()),
        Answer = ContactResource.Contacts.Shape,
        AnswerName = ContactResource.Contacts.SchemaName,
    };

    private static readonly (string Path, string Summary, string Description, ConversationAction Action)[] Standings =
    [
        ("mute", "Mute a contact", "No AI and no notifications for it, until it is unmuted. Messages still count as unread.", ConversationAction.Mute),
        ("unmute", "Unmute a contact", "The AI answers again, and members are notified.", ConversationAction.Unmute),
        ("block", "Block a contact", "What it writes is kept, never answered and never counted, and nothing is sent to it, until it is unblocked.", ConversationAction.Block),
        ("unblock", "Unblock a contact", "Its messages count and are answered again.", ConversationAction.Unblock),
    ];

    public static void MapContactCommands(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("POST", "/v1/contacts/{id}/ai", AiOperation, request =>
            Change(request, request.Body.Get<bool>("enabled") ? ConversationAction.EnableAi : ConversationAction.DisableAi));
        foreach (var (path, summary, description, action) in Standings)
        {
            routes.MapOperation(
                "POST", $"/v1/contacts/{{id}}/{path}", AiOperation with { Id = $"{path}Contact", Summary = summary, Description = description, Body = new Shape(), IsBodyRequired = false },
                request => Change(request, action));
        }
    }

    private static async Task<IResult> Change(OperationRequest request, ConversationAction action)
    {
        if (!await request.PathExists("contacts"))
        {
            return Problem.NotFound();
        }
        var result = await request.Service<IGrainFactory>().GetGrain<IContactGrain>(request.PathId()!.Value)
            .Change(action, request.Caller.Actor);
        return ConversationCommands.ToProblem(result, "") ?? await ResourceReads.Read(ContactResource.Contacts, request);
    }
}
