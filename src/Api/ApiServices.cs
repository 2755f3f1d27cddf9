using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Analytics;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Billing;
using AgentPlatform.Api.Contacts;
using AgentPlatform.Api.Conversations;
using AgentPlatform.Api.Crm;
using AgentPlatform.Api.Files;
using AgentPlatform.Api.Health;
using AgentPlatform.Api.Http;
using AgentPlatform.Api.Jobs;
using AgentPlatform.Api.Knowledge;
using AgentPlatform.Api.Limits;
using AgentPlatform.Api.Live;
using AgentPlatform.Api.OpenApi;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Organizations;
using AgentPlatform.Api.Privacy;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Transfer;
using AgentPlatform.Api.WebChat;
using AgentPlatform.Api.Webhooks;
using AgentPlatform.Data;
using AgentPlatform.Data.Http;
using Microsoft.AspNetCore.Authentication;

namespace AgentPlatform.Api;

/// <summary>The API's two doors: both the API's own process and the silo go through them.</summary>
public static class ApiServices
{
    /// <summary>Adds everything that <see cref="MapApi"/> needs besides an <c>IClusterClient</c> or <c>IGrainFactory</c>. May be called more than once.</summary>
    public static IServiceCollection AddApi(this IServiceCollection services, IConfiguration configuration)
    {
        if (services.Any(service => service.ServiceType == typeof(ApiOptions)))
        {
            return services;
        }
        services.AddData(configuration);
        services.AddSingleton(_ => ApiOptions.From(configuration));
        services.AddSingleton(_ => AuthOptions.From(configuration));
        services.AddSingleton<TokenSigner>();
        services.AddSingleton<SessionDirectory>();
        services.AddSingleton<Passwords>();
        services.AddSingleton<SignInThrottle>();
        services.AddSingleton<SignIn>();
        services.AddPeople(configuration);
        services.AddSingleton<ActivityLog>();
        services.AddHostedService<ExpiredRequests>();
        services.AddSingleton<SearchIndexing>();
        services.AddHostedService(provider => provider.GetRequiredService<SearchIndexing>());
        services.AddSingleton<LiveFeed>();
        services.AddSingleton<LiveHints>();
        services.AddSingleton<LiveHubs>();
        services.AddSingleton<FileTurns>();
        services.AddSingleton<RequestTurns>();
        services.AddJobWorks(configuration);
        services.AddAuthentication(BearerHandler.SchemeName).AddScheme<AuthenticationSchemeOptions, BearerHandler>(BearerHandler.SchemeName, null);
        services.AddAuthorization();
        services.AddCompressedBodies();
        services.AddSingleton<AllowedOrigins>();
        services.AddApiLimits(configuration);
        services.AddApiDocument();
        services.AddApiHealth();
        services.AddWebChat(configuration);
        services.AddGuardedHttp(configuration);
        services.AddWebhooks(configuration);
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        return services;
    }

    /// <summary>Adds the middleware and the routes.</summary>
    public static WebApplication MapApi(this WebApplication app)
    {
        app.Services.GetRequiredService<AuthOptions>();
        app.UseApiProxies();
        app.UseMiddleware<ProblemMiddleware>();
        app.UseMiddleware<HeadRequests>();
        // The busiest routes authenticate by signature: they need none of what follows.
        app.MapWhen(static context => context.Request.Path.StartsWithSegments("/webhooks"), static webhooks =>
        {
            webhooks.RefuseCompressedBodies("identity");
            webhooks.UseRouting();
            webhooks.UseEndpoints(static endpoints => endpoints.MapWebhooks());
        });
        app.UseMiddleware<CrossOriginRequests>();
        app.UseRouting();
        app.UseCompressedBodies();
        app.UseAuthentication();
        app.UseApiLimits();
        app.UseAuthorization();

        AuthEndpoints.MapAuth(app);
        MeEndpoints.MapMe(app);
        app.MapPeople();
        foreach (var resource in ResourceCatalog.All)
        {
            app.MapResource(resource);
        }
        BulkTagging.MapBulkTagging(app);
        AnalyticsEndpoints.MapAnalytics(app);
        ConversationEndpoints.MapConversationCommands(app);
        InternalNotes.MapInternalNotes(app);
        ArticleViews.MapArticleViews(app);
        MessageEndpoints.MapMessages(app);
        ContactEndpoints.MapContactCommands(app);
        UsageEndpoints.MapUsage(app);
        BillingEndpoints.MapBilling(app);
        EventsEndpoints.MapEvents(app);
        JobEndpoints.MapJobCommands(app);
        FileEndpoints.MapFiles(app);
        TransferEndpoints.MapTransfer(app);
        PersonEndpoints.MapPersons(app);
        LeavingEndpoints.MapLeaving(app);
        InstallationEndpoints.MapInstallation(app);
        app.MapApiDocument();
        app.MapApiHealth();
        app.MapWebChat();
        return app;
    }
}
