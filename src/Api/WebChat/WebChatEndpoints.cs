using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Conversations;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.WebChat;

/// <summary>What a visitor of a web channel may do: get a token, write, read the own conversation. Nothing else opens with a visitor's token.</summary>
internal static class WebChatEndpoints
{
    private const string Tag = "webChat";

    private static readonly Field[] MessageFields =
    [
        Uuid("id").ReadOnly(),
        Uuid("conversationId").About("Sequences rise within one conversation. A visitor has one, and another one only after its contact was erased."),
        Uuid("clientMessageId").Nullable().About("The id that the browser made, for the visitor's own messages."),
        Long("sequence").About("Rises with each message; the id of its event."),
        Choice("direction", "inbound", "outbound"),
        Choice("senderType", "user", "agent", "ai", "system"),
        Text("senderName", 200).Nullable().About("First name of the person who answers."),
        Flag("isAutomatic").About("Answered by the built-in responder or a keyword, not by a model or a person."),
        Text("contentType", 50),
        Choice("status", "received", "sent", "delivered", "read"),
        Text("textContent", 100_000).Nullable(),
        Text("attachmentUrl", 4_000).Nullable(),
        Object("attachment", Text("filename", 500).Nullable(), Text("mimeType", 200).Nullable()),
        List("choices", new ObjectType(new Shape(Text("id", 256), Text("title", 256), Text("description", 1_000).Nullable())), 100).About("To be offered as buttons; answer with `choiceId` and `replyTo`."),
        Timestamp("sentAt"),
    ];

    private static readonly Operation ReadConfig = new()
    {
        Id = "getWebChannelConfig",
        Tag = Tag,
        Role = null,
        RateLimit = RateLimits.Own,
        Summary = "How the chat of a web channel looks",
        Answer = new Shape(Uuid("channelId"), Text("name", 200), Text("color", 7), Choice("position", "bottom-right", "bottom-left"), Text("welcomeMessage", 10_000).Nullable()),
        Problems = [WebChatProblems.OriginNotAllowed],
    };

    private static readonly Operation CreateVisitor = new()
    {
        Id = "createVisitor",
        Tag = Tag,
        Role = null,
        RateLimit = RateLimits.Own,
        SuccessStatus = StatusCodes.Status201Created,
        Summary = "A token for a visitor of a web channel",
        Description = "With `token`, a token that is still valid, the same visitor gets a new one. The token opens this visitor's conversation in this channel and nothing else.",
        Body = new Shape(Text("token", Auth.TokenSigner.MaxTokenLength)),
        IsBodyRequired = false,
        MaxBodyBytes = WebChatOptions.MaxBodyBytes,
        Answer = new Shape(Uuid("visitorId"), Text("token", Auth.TokenSigner.MaxTokenLength), Timestamp("expiresAt"), Long("expiresIn").About("Seconds.")),
        Problems = [WebChatProblems.OriginNotAllowed, WebChatProblems.VisitorUnknown],
    };

    private static readonly Operation SendMessage = new()
    {
        Id = "sendVisitorMessage",
        Tag = Tag,
        Role = null,
        RateLimit = RateLimits.Own,
        SuccessStatus = StatusCodes.Status201Created,
        Summary = "A visitor writes",
        Description = "Send the visitor's token as `Authorization: Bearer`. `id` is made by the browser: the same id again stores nothing and answers 200 with `isDuplicate`.",
        Body = new Shape(
            Uuid("id").Required(),
            Prose("text", WebChatOptions.MaxTextLength).Required(),
            Text("choiceId", 256).About("The choice made, when the message answers an offer of choices."),
            Uuid("replyTo").About("The message that this one answers."),
            Language("language")),
        MaxBodyBytes = WebChatOptions.MaxBodyBytes,
        Answer = new Shape(Uuid("id"), Flag("isDuplicate")),
        Problems = [WebChatProblems.OriginNotAllowed, WebChatProblems.VisitorUnknown],
    };

    private static readonly Operation ListMessages = new()
    {
        Id = "listVisitorMessages",
        Tag = Tag,
        Role = null,
        RateLimit = RateLimits.Own,
        Summary = "A visitor's messages, oldest first",
        Description = "Without `after` or `before`: the newest. `nextCursor` is the value for the next `after`, or for `before` where the page went backwards; null where there is no more.",
        Query =
        [
            new("after", new IntegerType(0, long.MaxValue, IsLong: true), "Only messages with a higher sequence; beyond the conversation's end it is another conversation's, and the page begins with the first message."),
            new("before", new IntegerType(1, long.MaxValue, IsLong: true), "Only messages with a lower sequence, the last ones of them."),
            new("limit", new IntegerType(1, WebChatOptions.MaxPageSize), "Most messages of the page; default 50."),
        ],
        Answer = new Shape(MessageFields),
        AnswerName = "VisitorMessage",
        AnswersPage = true,
        Problems = [WebChatProblems.OriginNotAllowed, WebChatProblems.VisitorUnknown],
    };

    private static readonly Operation StreamEvents = new()
    {
        Id = "streamVisitorEvents",
        Tag = Tag,
        Role = null,
        RateLimit = RateLimits.Own,
        AnswersEvents = true,
        Summary = "A visitor's messages as they come",
        Description = "Events `message` (a VisitorMessage; the event's id is its sequence), `typing` (`{isTyping}`), `reset` (forget what you have shown: it is not this visitor's conversation; the first message follows) and `replaced` (the last one: the visitor has opened more streams than WEB_STREAMS_PER_VISITOR). `Last-Event-ID`, or `after`, resumes without a gap or a repeat; without either, or beyond the conversation's end, it begins with the first message. A position belongs to one visitor: with a token of another `visitorId`, begin without one.",
        Query = [new("after", new IntegerType(0, long.MaxValue, IsLong: true), "As `Last-Event-ID`, which wins.")],
        Problems = [WebChatProblems.OriginNotAllowed, WebChatProblems.VisitorUnknown],
    };

    public static void MapWebChatApi(this IEndpointRouteBuilder routes)
    {
        const string Root = "/v1/web/{channelId}";
        routes.MapOperation("GET", Root + "/config", ReadConfig, request => WebChatRequest.Enter(request, Config));
        routes.MapOperation("POST", Root + "/visitors", CreateVisitor, request => WebChatRequest.Enter(request, NewVisitor));
        routes.MapOperation("POST", Root + "/messages", SendMessage, request => WebChatRequest.EnterVisitor(request, (entered, widget, session) => Receive(entered, widget, session.Visitor)));
        routes.MapOperation("GET", Root + "/messages", ListMessages, request => WebChatRequest.EnterVisitor(request, (entered, widget, session) => History(entered, widget, session.Visitor)));
        routes.MapOperation("GET", Root + "/events", StreamEvents, request => WebChatRequest.EnterVisitor(request, Events));
        // Browsers ask before a cross-site request with a token.
        routes.MapMethods(Root + "/{**rest}", ["OPTIONS"], (Delegate)WebChatRequest.Preflight).AllowAnonymous().ExcludeFromDescription();
    }

    private static Task<IResult> Config(OperationRequest request, Widget widget)
    {
        request.Http.Response.Headers.CacheControl = "public, max-age=60";
        return Task.FromResult<IResult>(JsonAnswer.Of(json =>
        {
            json.WriteString("channelId", widget.ChannelId);
            json.WriteString("name", widget.Name);
            json.WriteString("color", widget.Color);
            json.WriteString("position", widget.Position);
            json.WriteString("welcomeMessage", widget.WelcomeMessage);
        }));
    }

    private static Task<IResult> NewVisitor(OperationRequest request, Widget widget)
    {
        var tokens = request.Service<VisitorTokens>();
        if (request.Service<WebChatLimits>().TakeVisitor(WebChatRequest.Address(request.Http)) is { } tooMany)
        {
            return Task.FromResult<IResult>(tooMany);
        }
        var visitor = new Visitor(widget.ChannelId, new Guid(RandomNumberGenerator.GetBytes(16)));
        if (request.Body.Text("token") is { Length: > 0 } token)
        {
            if (tokens.Read(token, widget.ChannelId) is not { } known)
            {
                return Task.FromResult<IResult>(new Problem(WebChatProblems.VisitorUnknown));
            }
            visitor = known.Visitor;
        }
        var (made, expiresAt) = tokens.Make(visitor);
        return Task.FromResult<IResult>(JsonAnswer.Of(json =>
        {
            json.WriteString("visitorId", visitor.Id);
            json.WriteString("token", made);
            json.WriteString("expiresAt", expiresAt);
            json.WriteNumber("expiresIn", (long)request.Service<WebChatOptions>().VisitorTokenLifetime.TotalSeconds);
        }, StatusCodes.Status201Created));
    }

    private static async Task<IResult> Receive(OperationRequest request, Widget widget, Visitor visitor)
    {
        if (request.Service<WebChatLimits>().TakeMessage(visitor, WebChatRequest.Address(request.Http)) is { } tooMany)
        {
            return tooMany;
        }
        var id = request.Body.Id("id")!.Value;
        var choice = request.Body.Text("choiceId");
        var text = request.Body.Text("text")!;
        var batch = new InboundBatch
        {
            OrganizationId = widget.OrganizationId,
            ChannelId = widget.ChannelId,
            Contact = new InboundContact { Identities = [visitor.Identity], Language = request.Body.Text("language") },
            Messages =
            [
                new InboundMessage
                {
                    PlatformMessageId = VisitorMessageIds.ToPlatform(visitor, id),
                    ContentType = choice is null ? ContentTypes.Text : ContentTypes.Interactive,
                    Text = text,
                    Payload = choice is null ? null : JsonSerializer.Serialize(new { type = "button_reply", id = choice, title = text }),
                    ReplyToPlatformId = request.Body.Id("replyTo")?.ToString("D"),
                    PlatformTimestamp = request.Service<TimeProvider>().GetUtcNow(),
                },
            ],
            TraceParent = Activity.Current?.Id,
        };
        var key = new ConversationKey(widget.ChannelId, visitor.Identity);
        var result = await request.Service<IGrainFactory>().GetGrain<IConversationGrain>(key.ToString()).Receive(batch);
        request.Service<VisitorStreams>().Wake(visitor);
        return JsonAnswer.Of(json =>
        {
            json.WriteString("id", id);
            json.WriteBoolean("isDuplicate", result.Stored == 0);
        }, result.Stored == 0 ? StatusCodes.Status200OK : StatusCodes.Status201Created);
    }

    private static async Task<IResult> History(OperationRequest request, Widget widget, Visitor visitor)
    {
        if (request.Service<WebChatLimits>().TakeRead(visitor) is { } tooMany)
        {
            return tooMany;
        }
        if (request.Has("after") && request.Has("before"))
        {
            return Problem.Invalid("before", "can't be given together with after.");
        }
        var messages = request.Service<VisitorMessages>();
        var limit = request.Has("limit") ? request.Parameter<int>("limit") : ApiOptions.DefaultPageSize;
        var isForward = request.Has("after");
        var page = isForward
            ? await messages.After(widget, visitor, request.Parameter<long>("after"), limit, request.Cancelled)
            : await messages.Before(widget, visitor, request.Has("before") ? request.Parameter<long>("before") : long.MaxValue, limit, request.Cancelled);
        await request.Service<VisitorStreams>().RecordDelivered(widget, visitor, page.Messages);
        var edge = page.Messages.Count == 0 ? null : isForward ? page.Messages[^1] : page.Messages[0];
        return Page.Of(page.Messages.Select(message => message.Json), page.HasMore ? edge?.Sequence.ToString(CultureInfo.InvariantCulture) : null);
    }

    private static async Task<IResult> Events(OperationRequest request, Widget widget, VisitorSession session)
    {
        var visitor = session.Visitor;
        if (request.Service<WebChatLimits>().TakeRead(visitor) is { } tooMany)
        {
            return tooMany;
        }
        var after = request.Parameter<long>("after");
        if (request.Http.Request.Headers.TryGetValue("Last-Event-ID", out var last) && last.Count > 0
            && !(long.TryParse(last.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out after) || last.ToString().Length == 0))
        {
            return Problem.Invalid("Last-Event-ID", "must be the id of an event: a whole number.");
        }
        await request.Service<VisitorStreams>().Run(request.Http, widget, visitor, after, session.End);
        return Results.Empty;
    }
}
