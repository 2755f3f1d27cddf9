using AgentPlatform.Api.WebChat.Pages;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace AgentPlatform.Api.WebChat;

/// <summary>The web channel's two doors.</summary>
public static class WebChatServices
{
    /// <summary>Adds the web channel. A host may add its own <see cref="WebChatOptions"/> before.</summary>
    public static IServiceCollection AddWebChat(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(_ => WebChatOptions.From(configuration));
        services.TryAddSingleton<WidgetDirectory>();
        services.TryAddSingleton<VisitorTokens>();
        services.TryAddSingleton<WebChatLimits>();
        services.TryAddSingleton<VisitorMessages>();
        services.TryAddSingleton<ConversationHints>();
        services.TryAddSingleton<VisitorStreams>();
        services.TryAddSingleton<WebFiles>();
        return services;
    }

    /// <summary>Maps the visitors' API, the chat page, the embed script and the start page.</summary>
    public static IEndpointRouteBuilder MapWebChat(this IEndpointRouteBuilder routes)
    {
        routes.MapWebChatApi();
        routes.MapWebPages();
        return routes;
    }
}
