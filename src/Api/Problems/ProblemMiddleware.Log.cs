namespace AgentPlatform.Api.Problems;

internal sealed partial class ProblemMiddleware
{
    [LoggerMessage(4001, LogLevel.Error, "A request failed with a defect: {Method} {Route}, trace {TraceId}")]
    private partial void LogDefect(Exception failure, string method, string route, string traceId);

    [LoggerMessage(4002, LogLevel.Warning, "A request met a database or an engine that is away ({Failure}): {Route}")]
    private partial void LogUnavailable(string failure, string route);
}
