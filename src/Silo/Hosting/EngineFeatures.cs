using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Channels.Web;

namespace AgentPlatform.Silo.Hosting;

/// <summary>The features that the engine is made of, each registered by itself.</summary>
internal static class EngineFeatures
{
    public static IServiceCollection AddEngineFeatures(this IServiceCollection services, IConfiguration configuration) => services
        .AddChannels(configuration)
        .AddWebConnector()
        .AddAgents(configuration);

    /// <summary>Health of a silo without an API: for the orchestrator's probes.</summary>
    public static void MapSiloHealth(this WebApplication app)
    {
        app.MapGet("/health/live", static () => Results.Ok(new { status = "ok" }));
        app.MapGet("/health/ready", static () => Results.Ok(new { status = "ok" }));
    }
}
