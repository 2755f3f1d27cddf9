namespace AgentPlatform.Api.Emails;

/// <summary>E-mail that the installation sends by itself.</summary>
internal static class EmailServices
{
    public static void AddEmails(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(_ => MailOptions.Read(configuration));
        services.AddSingleton<MailServer>();
        services.AddSingleton<MailSender>();
        services.AddHostedService(provider => provider.GetRequiredService<MailSender>());
    }

    public static void MapEmails(this IEndpointRouteBuilder routes)
    {
        // Settings that can't work end the process at start.
        routes.ServiceProvider.GetRequiredService<MailOptions>();
        TestEmailEndpoint.MapTestEmail(routes);
    }
}
