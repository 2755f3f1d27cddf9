using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Conversations;

/// <summary>What members do to a conversation.</summary>
internal static class ConversationEndpoints
{
    private const string Tag = "conversations";

    private static readonly Operation Command = new()
    {
        WaitsForOthers = true,
        Id = "",
        Tag = Tag,
        Summary = "",
        Role = Role.Member,
        Body = new Shape(),
        IsBodyRequired = false,
        IfMatch = IfMatch.Optional,
        AnswersEntityTag = true,
        Answer = ConversationResource.Conversations.Shape,
        AnswerName = ConversationResource.Conversations.SchemaName,
    };

    private static readonly (string Path, string Summary, string? Description, ConversationAction Action)[] Plain =
    [
        ("takeover", "Take the conversation over from the AI", "You answer from now on. An answer that the AI is writing is thrown away, and the conversation is yours.", ConversationAction.TakeOver),
        ("release", "Give the conversation back to the AI", null, ConversationAction.Release),
        ("resolve", "Mark the conversation as resolved", "It goes back to the AI, which answers when the customer writes again.", ConversationAction.Resolve),
        ("reopen", "Open a resolved or archived conversation again", null, ConversationAction.Reopen),
        ("archive", "Put the conversation away", null, ConversationAction.Archive),
        ("mute", "Mute the contact", "No AI and no notifications for this contact, until it is unmuted. Messages still count as unread.", ConversationAction.Mute),
        ("unmute", "Unmute the contact", null, ConversationAction.Unmute),
        ("block", "Block the contact", "What it writes is kept, never answered and never counted, and nothing is sent to it, until it is unblocked.", ConversationAction.Block),
        ("unblock", "Unblock the contact", null, ConversationAction.Unblock),
        ("read", "Mark the conversation as read", "Sets the unread count to zero, and tells the platform where it wants to know.", ConversationAction.MarkRead),
    ];

    public static void MapConversationCommands(IEndpointRouteBuilder routes)
    {
        foreach (var (path, summary, description, action) in Plain)
        {
            routes.MapOperation(
                "POST", $"/v1/conversations/{{id}}/{path}", Command with { Id = $"{path}Conversation", Summary = summary, Description = description },
                request => Change(request, new ConversationChange { Action = action, Actor = request.Caller.Actor, ExpectedVersions = request.ExpectedVersions }));
        }
        routes.MapOperation("POST", "/v1/conversations/{id}/assign", AssignOperation, Assign);
        routes.MapOperation("POST", "/v1/conversations/{id}/ai", AiOperation, SwitchAi);
    }

    private static readonly Operation AssignOperation = Command with
    {
        Id = "assignConversation",
        Summary = "Assign the conversation to a member, or to nobody",
        IsBodyRequired = true,
        Body = new(Reference("assigneeId", "users").Nullable().Required().About("A member's id; null for nobody.")),
    };

    private static readonly Operation AiOperation = Command with
    {
        Id = "switchConversationAi",
        Summary = "Switch the AI on or off for this contact",
        IsBodyRequired = true,
        Body = new(Flag("enabled").Required()),
    };

    private static async Task<IResult> Assign(OperationRequest request)
    {
        var assignee = request.Body.Id("assigneeId");
        if (assignee is not null && await request.PathExists("conversations") && !await IsMember(request, assignee.Value))
        {
            return Problem.Invalid("/assigneeId", "/assigneeId names nobody in this organization.");
        }
        return await Change(request, new ConversationChange
        {
            Action = ConversationAction.Assign,
            Actor = request.Caller.Actor,
            AssigneeId = assignee,
            ExpectedVersions = request.ExpectedVersions,
        });
    }

    private static Task<IResult> SwitchAi(OperationRequest request) => Change(request, new ConversationChange
    {
        Action = request.Body.Get<bool>("enabled") ? ConversationAction.EnableAi : ConversationAction.DisableAi,
        Actor = request.Caller.Actor,
        ExpectedVersions = request.ExpectedVersions,
    });

    private static async Task<IResult> Change(OperationRequest request, ConversationChange change)
    {
        if (await ConversationCommands.Find(request, request.PathId()) is not { } conversation)
        {
            return Problem.NotFound();
        }
        return ConversationCommands.ToProblem(await conversation.Change(change), "")
            ?? await ResourceReads.Read(ConversationResource.Conversations, request);
    }

    private static async Task<bool> IsMember(OperationRequest request, Guid userId)
    {
        await using var row = await TenantSession.ReadAsync(
            request.Service<ApiDataSource>(), request.Caller.Tenant, "SELECT 1 FROM organization_members WHERE organization_id = $1 AND user_id = $2 AND status = 'active'",
            request.Cancelled, request.Caller.OrganizationId, userId);
        return await row.ReadAsync(request.Cancelled);
    }
}
