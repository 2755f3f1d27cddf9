using AgentPlatform.Data.Connections;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AgentPlatform.Api.Health;

/// <summary><c>/health/live</c>: the process runs. <c>/health/ready</c>: it can serve, because the database and the engine answer.</summary>
internal static class ApiHealth
{
    private const string Ready = "ready";

    public static void AddApiHealth(this IServiceCollection services) =>
        services.AddHealthChecks().AddCheck<DatabaseCheck>("database", tags: [Ready]).AddCheck<EngineCheck>("engine", tags: [Ready]);

    public static void MapApiHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = Write }).AllowAnonymous();
        routes.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains(Ready), ResponseWriter = Write }).AllowAnonymous();
    }

    /// <summary>Names and states, and nothing that a stranger shouldn't read.</summary>
    private static Task Write(HttpContext context, HealthReport report) => Operations.JsonAnswer.Of(
        json =>
        {
            json.WriteString("status", report.Status == HealthStatus.Healthy ? "healthy" : "unhealthy");
            json.WriteStartObject("checks");
            foreach (var (name, check) in report.Entries)
            {
                json.WriteString(name, check.Status == HealthStatus.Healthy ? "healthy" : "unhealthy");
            }
            json.WriteEndObject();
        },
        context.Response.StatusCode).ExecuteAsync(context);
}

/// <summary>The database answers the API's role.</summary>
internal sealed class DatabaseCheck(ApiDataSource database) : IHealthCheck
{
    /// <summary>How long one look may take.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Timeout);
        try
        {
            await using var command = database.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(patience.Token);
            return HealthCheckResult.Healthy();
        }
        catch (Exception failure) when (failure is Npgsql.NpgsqlException or TimeoutException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy(failure.GetType().Name);
        }
    }
}

/// <summary>The engine answers: a grain call comes back.</summary>
internal sealed class EngineCheck(IServiceProvider services) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (services.GetService<IGrainFactory>() is not { } grains)
        {
            return HealthCheckResult.Unhealthy("no grain factory");
        }
        try
        {
            await grains.GetGrain<AgentPlatform.Organizations.IOrganizationGrain>(Guid.Empty).Changed([]).WaitAsync(DatabaseCheck.Timeout, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy(failure.GetType().Name);
        }
    }
}
