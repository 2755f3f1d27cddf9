using AgentPlatform.Api.Emails;
using AgentPlatform.Api.Notifications;
using AgentPlatform.Api.Organizations;
using AgentPlatform.Data.Connections;

namespace AgentPlatform.Api.Auth;

/// <summary>People and their access: accounts, organizations, invitations, sessions, API keys.</summary>
internal static class PeopleServices
{
    public static void AddPeople(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(_ => AccountOptions.From(configuration));
        services.AddSingleton<AccountThrottle>();
        services.AddSingleton<AccountLinks>();
        services.AddSingleton<ApiKeyUse>();
        services.AddHostedService(provider => provider.GetRequiredService<ApiKeyUse>());
        services.AddSingleton(provider => new AccountCommands(
            provider.GetRequiredService<ApiDataSource>(), provider.GetRequiredService<EngineDataSource>(), provider.GetRequiredService<AccountLinks>(),
            provider.GetRequiredService<AccountOptions>(), provider.GetRequiredService<TimeProvider>()));
        services.AddEmails(configuration);
        services.AddNotifications();
    }

    public static void MapPeople(this IEndpointRouteBuilder routes)
    {
        routes.ServiceProvider.GetRequiredService<AccountOptions>();
        SignUpEndpoints.MapSignUp(routes);
        PasswordEndpoints.MapPasswords(routes);
        SessionEndpoints.MapSessions(routes);
        ApiKeyEndpoints.MapApiKeys(routes);
        MemberEndpoints.MapMembers(routes);
        InvitationEndpoints.MapInvitations(routes);
        routes.MapEmails();
        routes.MapNotifications();
    }
}
