namespace AgentPlatform.Api.Notifications;

/// <summary>What members are told, in the product and by e-mail.</summary>
internal static class NotificationServices
{
    public static void AddNotifications(this IServiceCollection services)
    {
        services.AddSingleton<DueNotifications>();
        services.AddHostedService(provider => provider.GetRequiredService<DueNotifications>());
    }

    public static void MapNotifications(this IEndpointRouteBuilder routes) => NotificationEndpoints.MapNotifications(routes);
}
