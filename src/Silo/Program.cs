using AgentPlatform.Api;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Hosting;
using AgentPlatform.Api.Jobs;
using AgentPlatform.Data;
using AgentPlatform.Data.Migrations;
using AgentPlatform.Data.Secrets;
using AgentPlatform.Grains;
using AgentPlatform.Silo.Demo;
using AgentPlatform.Silo.Hosting;

if (CommandLine.AsksForHelp(args))
{
    Console.WriteLine(CommandLine.Help);
    return 0;
}
if (CommandLine.Mistake(args) is { } mistake)
{
    Console.Error.WriteLine(mistake);
    return CommandLine.WrongUse;
}
try
{
    return await Run(args);
}
catch (SettingException wrong)
{
    Console.Error.WriteLine(wrong.Message);
    return CommandLine.WrongUse;
}

static async Task<int> Run(string[] args)
{
    var builder = WebApplication.CreateBuilder(args);
    var settings = SiloSettings.From(builder.Configuration);
    builder.WebHost.ConfigureKestrel(ApiHosting.Configure);
    builder.WebHost.UseUrls($"http://{settings.BindAddress}:{settings.Port}");

    builder.AddTelemetry("agentplatform-silo");
    builder.Services.AddData(builder.Configuration);
    builder.Services.AddEngine(builder.Configuration);
    builder.Services.AddEngineFeatures(builder.Configuration);
    builder.Services.AddJobWorks(builder.Configuration);
    // What an operator does about accounts is the API's; its commands are this process's, whether or not it serves the API.
    var isCommand = AccountCommands.AreNamedBy(args);
    if (settings.ServesApi || isCommand)
    {
        builder.Services.AddApi(builder.Configuration);
    }
    builder.Services.AddDemo(builder.Configuration, args);
    builder.UseOrleans(silo => silo.ConfigureSilo(settings, builder.Configuration));

    await using var app = builder.Build();
    if (args.Contains("--roles"))
    {
        await app.Services.GetRequiredService<Migrator>().EnsureRolesAsync(CancellationToken.None);
        return 0;
    }
    if (args.Contains("--migrate") || settings.MigratesOnStart)
    {
        await app.Services.GetRequiredService<Migrator>().MigrateAsync(CancellationToken.None);
        if (args.Contains("--migrate"))
        {
            return 0;
        }
    }
    if (isCommand)
    {
        Console.WriteLine(await app.Services.GetRequiredService<AccountCommands>().Run(args, CancellationToken.None));
        return 0;
    }
    // Read here, where what is wrong with it is told in a line; what a service meets as it starts, the host logs as a defect.
    app.Services.GetRequiredService<SecretBox>();
    await app.Services.GetRequiredService<DemoData>().EnsureLoaded(CancellationToken.None);
    if (args.Contains("--demo"))
    {
        return 0;
    }
    if (settings.ServesApi)
    {
        app.MapApi();
    }
    else
    {
        app.MapSiloHealth();
    }
    await app.RunAsync();
    return 0;
}
