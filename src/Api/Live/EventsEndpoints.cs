using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Live;

/// <summary>The live view of an organization's inbox.</summary>
internal static class EventsEndpoints
{
    /// <summary>What an API key needs to listen.</summary>
    public const string Scope = "events:read";

    private static readonly Operation EventsOperation = new()
    {
        Id = "streamEvents",
        Tag = "events",
        Role = Role.Viewer,
        AnswersEvents = true,
        Summary = "Follow the inbox live",
        Description = """
            Server-sent events. `message.created` and `message.updated` carry a message, `conversation.updated` a conversation, `job.updated` a job with its progress, `notification.updated` what you alone were told, as reads show them, and to whom reads show them by role and by a key's scopes: store each under its id, the newer one wins.
            Every event has an id; send the last one as `Last-Event-ID` to go on without a gap. `ready` comes first: with its id, read the lists, then apply what follows.
            `reset` says that the id isn't known here: read the lists again. `dropped` ends a stream that took its events too slowly, `ended` one whose session ended, `replaced` one of a session that opened more than API_STREAMS_PER_SESSION since: come back when somebody looks at it. All three then close.
            """,
        Query = [new("lastEventId", new TextType(100, 1, Example: "4711.1.0196f1c07d007c3e9a555f0c1b2a3d4e"), "Instead of the header `Last-Event-ID`, for clients that can't set it.")],
    };

    public static void MapEvents(IEndpointRouteBuilder routes) => routes.MapOperation("GET", "/v1/events", EventsOperation, Open);

    private static Task<IResult> Open(OperationRequest request)
    {
        var header = request.Http.Request.Headers["Last-Event-ID"].ToString();
        return Task.FromResult<IResult>(new EventStream(request, request.Service<LiveHubs>(), header.Length > 0 ? header : request.Parameter<string>("lastEventId")));
    }
}
