using AgentPlatform.Api;
using AgentPlatform.Api.Hosting;

var builder = WebApplication.CreateBuilder(args);
builder.AddTelemetry("agentplatform-api");
builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
builder.UseOrleansClient(client => client.ConfigureClient(builder.Configuration));
builder.Services.AddApi(builder.Configuration);
var app = builder.Build();
app.MapApi();
await app.RunAsync();
