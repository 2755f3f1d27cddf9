using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Http;
using AgentPlatform.Grains.Channels.Telegram;
using AgentPlatform.Grains.Channels.WhatsApp;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace AgentPlatform.Grains.Channels;

/// <summary>Registration of the channels' engine side.</summary>
public static class ChannelServices
{
    /// <summary>
    /// Adds the connectors of WhatsApp and Telegram, the channel directory, and what <see cref="ChannelGrain"/> needs. Needs the data services. May be called more than once.
    /// </summary>
    public static IServiceCollection AddChannels(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddChannelDirectory();
        services.AddGuardedHttp(configuration);
        services.TryAddSingleton<PlatformHttp>();
        services.TryAddSingleton<ChannelBreakage>();
        services.TryAddSingleton<AccountConfirmation>();
        services.TryAddSingleton(_ => WhatsAppOptions.From(configuration));
        services.TryAddSingleton(_ => new TelegramOptions());
        if (services.Any(service => service.ImplementationType == typeof(WhatsAppConnector)))
        {
            return services;
        }

        services.AddGuardedHttpClient(WhatsAppConnector.Client, new WhatsAppOptions().Timeout);
        services.AddGuardedHttpClient(TelegramConnector.Client, new TelegramOptions().Timeout);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IChannelConnector, WhatsAppConnector>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IChannelConnector, TelegramConnector>());
        return services;
    }
}
