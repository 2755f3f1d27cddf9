using AgentPlatform.Api;
using AgentPlatform.Api.Hosting;

if (args.Any(argument => argument is "--help" or "-h" or "-?" or "help"))
{
    Console.WriteLine("AgentPlatform API: serves HTTP for the silos of the same database (DATABASE_URL). It takes no commands; docs/operations.md lists its settings, which are environment variables.");
    return;
}
var builder = WebApplication.CreateBuilder(args);
builder.AddTelemetry("agentplatform-api");
builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
builder.UseOrleansClient(client => client.ConfigureClient(builder.Configuration));
builder.Services.AddApi(builder.Configuration);
var app = builder.Build();
app.MapApi();
await app.RunAsync();
