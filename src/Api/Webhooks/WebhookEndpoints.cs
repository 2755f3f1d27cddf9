using AgentPlatform.Api.Limits;
using AgentPlatform.Api.Webhooks.Telegram;
using AgentPlatform.Api.Webhooks.WhatsApp;
using AgentPlatform.Data.Channels;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace AgentPlatform.Api.Webhooks;

/// <summary>The addresses that platforms call.</summary>
public static class WebhookEndpoints
{
    /// <summary>Adds what <see cref="MapWebhooks"/> needs, besides an <see cref="IGrainFactory"/> and the data services. May be called more than once.</summary>
    public static IServiceCollection AddWebhooks(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChannelDirectory();
        services.TryAddSingleton(_ => WebhookOptions.From(configuration));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<Neighbours>();
        services.TryAddSingleton<InboundGate>();
        services.TryAddSingleton<WebhookBodies>();
        services.TryAddSingleton<WhatsAppWebhook>();
        services.TryAddSingleton<TelegramWebhook>();
        return services;
    }

    /// <summary>
    /// Maps <c>/webhooks/whatsapp</c>, <c>/webhooks/whatsapp/{channelId}</c> and <c>/webhooks/telegram/{channelId}</c>. They authenticate by signature or secret token, and
    /// are the busiest routes: plain delegates, without binding or filters, run by the routing step itself, before authentication and rate limits.
    /// </summary>
    public static IEndpointRouteBuilder MapWebhooks(this IEndpointRouteBuilder endpoints)
    {
        var whatsApp = new Lazy<WhatsAppWebhook>(endpoints.ServiceProvider.GetRequiredService<WhatsAppWebhook>);
        var telegram = new Lazy<TelegramWebhook>(endpoints.ServiceProvider.GetRequiredService<TelegramWebhook>);
        Open(endpoints.MapMethods("/webhooks/whatsapp", [HttpMethods.Post], context => whatsApp.Value.ReceiveForApp(context)));
        Open(endpoints.MapMethods("/webhooks/whatsapp", [HttpMethods.Get], context => whatsApp.Value.Verify(context)));
        Open(endpoints.MapMethods("/webhooks/whatsapp/{channelId}", [HttpMethods.Post], context => whatsApp.Value.ReceiveForChannel(context)));
        Open(endpoints.MapMethods("/webhooks/whatsapp/{channelId}", [HttpMethods.Get], context => whatsApp.Value.Verify(context)));
        Open(endpoints.MapMethods("/webhooks/telegram/{channelId}", [HttpMethods.Post], context => telegram.Value.Receive(context)));
        return endpoints;
    }

    /// <summary>No access token here, and nothing for the OpenAPI document: the platforms' own documentation describes these.</summary>
    private static void Open(IEndpointConventionBuilder endpoint) =>
        endpoint.WithMetadata(new AllowAnonymousAttribute()).ExcludeFromDescription().ShortCircuit();
}
