using AgentPlatform.Api;
using AgentPlatform.Api.Hosting;
using AgentPlatform.Data;
using AgentPlatform.Data.Secrets;

if (args.Any(argument => argument is "--help" or "-h" or "-?" or "help"))
{
    Console.WriteLine("AgentPlatform API: serves HTTP for the silos of the same database (DATABASE_URL). It takes no commands; docs/operations.md lists its settings, which are environment variables.");
    return 0;
}
try
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddTelemetry("agentplatform-api");
    builder.WebHost.ConfigureKestrel(ApiHosting.Configure);
    builder.UseOrleansClient(client => client.ConfigureClient(builder.Configuration));
    builder.Services.AddApi(builder.Configuration);
    var app = builder.Build();
    // Read here, where what is wrong with it is told in a line; what a service meets as it starts, the host logs as a defect.
    app.Services.GetRequiredService<SecretBox>();
    app.MapApi();
    await app.RunAsync();
    return 0;
}
catch (SettingException wrong)
{
    Console.Error.WriteLine(wrong.Message);
    return 2;
}
