using System.Collections.Immutable;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Conversations;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Conversations;

/// <summary>What members write: messages to the customer, and notes among themselves.</summary>
internal static class MessageEndpoints
{
    /// <summary>Longest text that a member may send, in UTF-16 units; platforms with a lower limit get it in parts.</summary>
    public const int MaxTextLength = 20_000;

    /// <summary>Most choices below a message.</summary>
    public const int MaxChoices = 10;

    private static readonly Shape Written = new(
        Uuid("id"), Long("sequence"), Uuid("conversationId"), Choice("status", "pending", "received").About("Deliveries follow as live events."));

    private static readonly Operation SendOperation = new()
    {
        Id = "sendMessage",
        WaitsForOthers = true,
        Tag = "conversations",
        Role = Role.Member,
        SuccessStatus = StatusCodes.Status201Created,
        TakesIdempotencyKey = true,
        Summary = "Write to the customer",
        Description = "Takes the conversation over. Give `text`, or `mediaType` with `mediaUrl` (and perhaps `text` as its caption), or `text` with `choices`.",
        Body = new(
            Prose("text", MaxTextLength).Nullable(),
            Choice("mediaType", ContentTypes.Image, ContentTypes.Audio, ContentTypes.Video, ContentTypes.Document).Nullable(),
            Url("mediaUrl").Nullable().About("Where the platform fetches it."),
            Name("mediaFilename").Nullable(),
            List("choices", new ObjectType(new Shape(
                Verbatim("id", 200).Required(), Name("title", 200).Required(), Text("description", 500).Nullable())), MaxChoices, 1).Nullable().About("Buttons below the text, or a list where there are too many for buttons.")),
        Example = new() { ["text"] = "Good morning! Your tour starts at nine." },
        Answer = Written,
        AnswerName = "WrittenMessage",
        Problems = [ProblemType.Refused],
    };

    private static readonly Operation NoteOperation = new()
    {
        Id = "addNote",
        WaitsForOthers = true,
        Tag = "conversations",
        Role = Role.Member,
        SuccessStatus = StatusCodes.Status201Created,
        TakesIdempotencyKey = true,
        Summary = "Add an internal note",
        Description = "Stands among the messages (`direction` is `internal`) and never leaves the house.",
        Body = new(
            Prose("text", MaxTextLength).Required(),
            Mentions().Nullable()),
        Example = new() { ["text"] = "Asked for a discount last year too." },
        Answer = Written,
        AnswerName = "WrittenMessage",
    };

    public static void MapMessages(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("POST", "/v1/conversations/{id}/messages", SendOperation, Send);
        routes.MapOperation("POST", "/v1/conversations/{id}/notes", NoteOperation, AddNote);
    }

    private static async Task<IResult> Send(OperationRequest request)
    {
        if (Content(request.Body) is not { } content)
        {
            return Problem.Invalid("/text", "Give /text, or /mediaType with /mediaUrl; /choices need /text and go without media.");
        }
        return await Write(request, conversation => conversation.Send(new SendMessage
        {
            MessageId = ConversationCommands.MessageIdOf(request),
            Content = content,
            Actor = request.Caller.Actor,
        }), "pending");
    }

    private static async Task<IResult> AddNote(OperationRequest request)
    {
        if (!await request.PathExists("conversations"))
        {
            return Problem.NotFound();
        }
        if (await request.InTransaction(session => References.Check(session, request.Body, request.Cancelled)) is { } unknown)
        {
            return unknown;
        }
        var given = request.Body.Has("mentions") ? request.Body.Get<ImmutableArray<object>>("mentions") : [];
        return await Write(request, conversation => conversation.Change(new ConversationChange
        {
            Action = ConversationAction.Note,
            Actor = request.Caller.Actor,
            Text = request.Body.Text("text"),
            Mentions = given.IsDefault ? [] : [.. given.Cast<Guid>().Distinct()],
            MessageId = ConversationCommands.MessageIdOf(request),
        }), "received");
    }

    private static async Task<IResult> Write(OperationRequest request, Func<IConversationGrain, Task<CommandResult>> write, string status)
    {
        if (await ConversationCommands.Find(request, request.PathId()) is not { } conversation)
        {
            return Problem.NotFound();
        }
        return await ConversationCommands.Once(request, async () =>
        {
            var result = await write(conversation);
            return ConversationCommands.ToProblem(result, "/text") ?? (IResult)JsonAnswer.OfBytes(
                JsonAnswer.Write(json =>
                {
                    json.WriteStartObject();
                    json.WriteString("id", result.MessageId!.Value);
                    json.WriteNumber("sequence", result.Sequence!.Value);
                    json.WriteString("conversationId", request.PathId()!.Value);
                    json.WriteString("status", status);
                    json.WriteEndObject();
                }),
                StatusCodes.Status201Created, location: $"/v1/messages/{result.MessageId}");
        });
    }

    /// <summary>Null for a combination that makes no message.</summary>
    private static OutgoingContent? Content(ShapeValues body)
    {
        var text = body.Text("text");
        var (type, url) = (body.Text("mediaType"), body.Text("mediaUrl"));
        var choices = body.Has("choices") ? body.Get<ImmutableArray<object>>("choices") : [];
        if (choices.IsDefault)
        {
            choices = [];
        }
        var isWhole = type is null == url is null && (text is not null || url is not null) && (choices.IsEmpty || (text is not null && url is null));
        return !isWhole || (url is null && body.Text("mediaFilename") is not null)
            ? null
            : new OutgoingContent
            {
                Text = text,
                MediaType = type,
                MediaUrl = url,
                MediaFilename = body.Text("mediaFilename"),
                Choices = [.. choices.Cast<ShapeValues>().Select(choice => new Choice(choice.Text("id")!, choice.Text("title")!, choice.Text("description")))],
            };
    }
}
