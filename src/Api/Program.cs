using AgentPlatform.Api;

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
builder.Services.AddApi(builder.Configuration);
var app = builder.Build();
app.MapApi();
app.Run();
