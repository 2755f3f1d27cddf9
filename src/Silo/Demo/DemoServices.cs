using AgentPlatform.Api.Auth;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace AgentPlatform.Silo.Demo;

/// <summary>Registration of the demo.</summary>
internal static class DemoServices
{
    /// <summary>Adds <see cref="DemoData"/> with its options from settings and arguments.</summary>
    public static IServiceCollection AddDemo(this IServiceCollection services, IConfiguration configuration, string[] arguments)
    {
        services.TryAddSingleton<Passwords>();
        services.AddSingleton(DemoOptions.From(configuration, arguments));
        services.AddSingleton<DemoData>();
        return services;
    }
}
