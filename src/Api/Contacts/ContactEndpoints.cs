using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Conversations;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Contacts;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Contacts;

/// <summary>The AI on or off for one contact: held hot by the conversation, so it goes through the grain.</summary>
internal static class ContactEndpoints
{
    private static readonly Operation AiOperation = new()
    {
        Id = "switchContactAi",
        Tag = "contacts",
        Role = Role.Member,
        AnswersEntityTag = true,
        Summary = "Switch the AI on or off for a contact",
        Body = new Shape(Flag("enabled").Required()),
        Answer = ContactResource.Contacts.Shape,
        AnswerName = ContactResource.Contacts.SchemaName,
    };

    public static void MapContactCommands(IEndpointRouteBuilder routes) => routes.MapOperation("POST", "/v1/contacts/{id}/ai", AiOperation, SwitchAi);

    private static async Task<IResult> SwitchAi(OperationRequest request)
    {
        if (!await request.PathExists("contacts"))
        {
            return Problem.NotFound();
        }
        var result = await request.Service<IGrainFactory>().GetGrain<IContactGrain>(request.PathId()!.Value)
            .SetAiEnabled(request.Body.Get<bool>("enabled"), request.Caller.Actor);
        return ConversationCommands.ToProblem(result, "") ?? await ResourceReads.Read(ContactResource.Contacts, request);
    }
}
