using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Connections;

namespace AgentPlatform.Api.Webhooks;

/// <summary>What the webhooks of all platforms have in common: handing over, answering, counting.</summary>
internal static partial class Webhook
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "AgentPlatform.Webhooks";

    private static readonly Meter Meter = new(MeterName);
    private static readonly Counter<long> Events = Meter.CreateCounter<long>("agentplatform.webhook.events", "{event}", "Messages and receipts that were committed, by platform.");
    private static readonly Counter<long> Refusals = Meter.CreateCounter<long>("agentplatform.webhook.refusals", "{request}", "Webhooks that were not answered 2xx, by platform and problem.");

    /// <summary>
    /// Hands the events to their conversations and answers 200 once all of them are committed.
    /// </summary>
    /// <param name="answer">Body of the 200, as JSON; empty for none.</param>
    /// <exception cref="Exception">What a conversation threw: see <see cref="IsAnswerable"/>.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public static async ValueTask Commit(HttpContext context, string platform, InboundEvents events, IGrainFactory grains, ReadOnlyMemory<byte> answer = default)
    {
        if (events.Count > 0)
        {
            context.Features.Set(events);
            await events.Deliver(grains, context.RequestServices.GetRequiredService<InboundGate>(), Activity.Current?.Id, context.RequestAborted);
            Events.Add(events.Count, new KeyValuePair<string, object?>("platform", platform));
        }

        await Accept(context, answer);
    }

    private static ValueTask Accept(HttpContext context, ReadOnlyMemory<byte> answer)
    {
        context.Response.StatusCode = StatusCodes.Status200OK;
        if (answer.IsEmpty)
        {
            context.Response.ContentLength = 0;
            return default;
        }

        context.Response.ContentType = "application/json";
        context.Response.ContentLength = answer.Length;
        return context.Response.Body.WriteAsync(answer, context.RequestAborted);
    }

    /// <summary>Answers with a problem.</summary>
    public static Task Refuse(HttpContext context, string platform, ProblemType type, string? detail = null, TimeSpan? retryAfter = null) =>
        Refuse(context, platform, new Problem(type, detail) { RetryAfter = retryAfter });

    /// <inheritdoc cref="Refuse(HttpContext, string, ProblemType, string?, TimeSpan?)"/>
    public static Task Refuse(HttpContext context, string platform, Problem problem)
    {
        Refusals.Add(1, new("platform", platform), new("problem", problem.Type.Name));
        if (problem.Type == WebhookProblems.TooSlow)
        {
            context.Response.Headers.Connection = "close"; // the rest would come as slowly
        }

        return problem.ExecuteAsync(context);
    }

    /// <summary>Whether a failure is one that the platform or its sender can do something about; any other is a defect, for the host to report.</summary>
    public static bool IsAnswerable(HttpContext context, Exception failure) =>
        !context.Response.HasStarted && (failure is BadHttpRequestException or IOException || IsAway(context, failure) || IsUnavailable(failure));

    /// <summary>Answers such a failure: 503 with <c>Retry-After</c> when the database or the engine is away, so that the platform comes again.</summary>
    public static Task Answer(HttpContext context, string platform, Exception failure, WebhookOptions options, ILogger logger)
    {
        if (IsAway(context, failure))
        {
            return Task.CompletedTask; // nobody listens
        }

        if (failure is BadHttpRequestException bad)
        {
            return Refuse(context, platform, bad.StatusCode switch
            {
                StatusCodes.Status413PayloadTooLarge => WebhookProblems.BodyTooLarge(options),
                StatusCodes.Status408RequestTimeout => new Problem(WebhookProblems.TooSlow, bad.Message),
                _ => new Problem(ProblemType.MalformedBody, bad.Message),
            });
        }

        LogUnavailable(logger, platform, context.Features.Get<InboundEvents>()?.Describe() ?? $"channel {context.Request.RouteValues["channelId"] ?? "unknown"}: not read yet", failure.GetType().Name);
        return Refuse(context, platform, ProblemType.Unavailable, "It can't be stored at the moment.", options.RetryAfter);
    }

    private static bool IsAway(HttpContext context, Exception failure) =>
        context.RequestAborted.IsCancellationRequested && failure is OperationCanceledException or IOException;

    /// <summary>Whether the same webhook, delivered again, can succeed: Postgres, a silo or the way to it was away.</summary>
    private static bool IsUnavailable(Exception failure) =>
        failure is StorageUnavailableException or TimeoutException or OrleansException || PostgresFailures.IsUnavailable(failure);

    /// <summary>Compares a secret in a time that doesn't tell how much of it is right.</summary>
    public static bool IsSecret(string? claimed, string secret)
    {
        if (claimed is null)
        {
            return false;
        }

        Span<byte> left = stackalloc byte[SHA256.HashSizeInBytes], right = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(claimed), left);
        SHA256.HashData(Encoding.UTF8.GetBytes(secret), right);
        return CryptographicOperations.FixedTimeEquals(left, right);
    }

    [LoggerMessage(3101, LogLevel.Warning, "A webhook of {Platform} could not be committed and will be delivered again ({Failure}); {Events}")]
    private static partial void LogUnavailable(ILogger logger, string platform, string events, string failure);
}
