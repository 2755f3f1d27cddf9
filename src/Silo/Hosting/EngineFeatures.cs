using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Channels;

namespace AgentPlatform.Silo.Hosting;

/// <summary>The features that the engine is made of, each registered by itself.</summary>
internal static class EngineFeatures
{
    public static IServiceCollection AddEngineFeatures(this IServiceCollection services, IConfiguration configuration) => services
        .AddChannels(configuration)
        .AddSingleton<ITurnRunner, SilentRunner>();

    /// <summary>Health of a silo without an API: for the orchestrator's probes.</summary>
    public static void MapSiloHealth(this WebApplication app)
    {
        app.MapGet("/health/live", static () => Results.Ok(new { status = "ok" }));
        app.MapGet("/health/ready", static () => Results.Ok(new { status = "ok" }));
    }
}

/// <summary>Stands in until the agent is here: says nothing.</summary>
internal sealed class SilentRunner : ITurnRunner
{
    public Task<TurnResult> Run(TurnRequest request, CancellationToken cancellationToken) =>
        Task.FromResult(new TurnResult { Outcome = "silent", Record = new TurnRecord { Responder = "built_in" } });
}
