using AgentPlatform.Api.Problems;

namespace AgentPlatform.Api.WebChat;

/// <summary>How visitors are refused.</summary>
internal static class WebChatProblems
{
    public static readonly ProblemType OriginNotAllowed = new("origin-not-allowed", 403, "This site may not show the chat",
        "The request's `Origin` is not among the channel's allowed domains.");

    public static readonly ProblemType VisitorUnknown = new("visitor-unknown", 401, "A valid visitor token is needed",
        "No bearer token, or one that is malformed, expired, or of another channel. Ask `POST /v1/web/{channelId}/visitors` for one.");
}
