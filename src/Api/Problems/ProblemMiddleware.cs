using System.Diagnostics;

namespace AgentPlatform.Api.Problems;

/// <summary>The outermost step: no exception leaves as anything but a problem, and no error status leaves without a body.</summary>
internal sealed partial class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        // What is served is what its Content-Type says, wherever it came from.
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (Exception failure) when (!context.Response.HasStarted)
        {
            var problem = KnownFailures.ToProblem(failure);
            if (problem is null)
            {
                LogDefect(failure, context.Request.Method, context.GetEndpoint()?.DisplayName ?? "no route", Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier);
                problem = new Problem(ProblemType.Internal);
            }
            else if (problem.Type.Status == StatusCodes.Status503ServiceUnavailable)
            {
                LogUnavailable(failure.GetType().Name, context.GetEndpoint()?.DisplayName ?? "no route");
            }
            context.Response.Clear();
            context.Response.Headers.XContentTypeOptions = "nosniff";
            await problem.ExecuteAsync(context);
            return;
        }

        if (context.Response is { HasStarted: false, ContentLength: null, ContentType: null } && ForStatus(context.Response.StatusCode) is { } bare)
        {
            await new Problem(bare).ExecuteAsync(context);
        }
    }

    /// <summary>Routing, authentication and Kestrel set a bare status; the body follows here.</summary>
    private static ProblemType? ForStatus(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => ProblemType.Unauthenticated,
        StatusCodes.Status403Forbidden => ProblemType.Forbidden,
        StatusCodes.Status404NotFound => ProblemType.NotFound,
        StatusCodes.Status405MethodNotAllowed => ProblemType.MethodNotAllowed,
        StatusCodes.Status413PayloadTooLarge => ProblemType.BodyTooLarge,
        StatusCodes.Status415UnsupportedMediaType => ProblemType.UnsupportedMediaType,
        _ => null,
    };
}
