using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using AgentPlatform.Data.Secrets;
using AgentPlatform.Fakes.Postgres;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Api.Tests.TestApp;

/// <summary>The API over real HTTP on a port of its own, with a database of its own. One for each test class: each test makes its own organization.</summary>
public class ApiApp : IAsyncLifetime
{
    private WebApplication? _app;

    public TestDatabase Database { get; private set; } = null!;

    /// <summary>Connection string of a superuser.</summary>
    public virtual string DatabaseUrl => Database.Url;

    public Uri Address { get; private set; } = null!;

    public IServiceProvider Services => _app!.Services;

    /// <summary>A client without sign-in.</summary>
    public HttpClient Anonymous { get; private set; } = null!;

    /// <summary>What went wrong in the host: errors and defects. Tests assert that it stays empty.</summary>
    public LogCollector Log { get; } = new();

    public async Task InitializeAsync()
    {
        await OpenDatabase();
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(Settings());
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Warning).AddProvider(Log);
        Configure(builder);
        _app = builder.Build();
        Map(_app);
        await _app.StartAsync();
        Address = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Anonymous = Client(null);
    }

    public async Task DisposeAsync()
    {
        Anonymous.Dispose();
        Log.IsStopping = true;
        await _app!.StopAsync();
        await _app.DisposeAsync();
        await CloseDatabase();
        Assert.True(Log.Errors.Count == 0, $"The host logged errors: {string.Join(Environment.NewLine, Log.Errors)}");
    }

    /// <summary>A client with an access token, or none.</summary>
    public HttpClient Client(string? accessToken)
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None }) { BaseAddress = Address };
        client.DefaultRequestHeaders.Authorization = accessToken is null ? null : new AuthenticationHeaderValue("Bearer", accessToken);
        return client;
    }

    /// <summary>A new organization with an owner who is signed in.</summary>
    public Task<TestOrganization> NewOrganization() => TestOrganization.Create(this);

    protected virtual async Task OpenDatabase() => Database = await TestDatabase.CreateAsync();

    protected virtual async Task CloseDatabase() => await Database.DisposeAsync();

    protected virtual Dictionary<string, string?> Settings() => new()
    {
        ["DATABASE_URL"] = DatabaseUrl,
        ["DATABASE_API_POOL"] = "8",
        ["DATABASE_ENGINE_POOL"] = "8",
        ["JWT_SIGNING_KEY"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(48)),
        [SecretBox.KeysSetting] = SecretBox.NewKey("test"),
        ["API_REQUESTS_PER_MINUTE"] = "1000000",
        ["API_REQUESTS_PER_MINUTE_OF_ORGANIZATION"] = "1000000",
        ["API_SIGN_INS_PER_MINUTE"] = "1000000",
    };

    /// <summary>Adds to the host what a test needs besides the API.</summary>
    protected virtual void Configure(WebApplicationBuilder builder) => builder.Services.AddApi(builder.Configuration);

    protected virtual void Map(WebApplication app) => app.MapApi();
}
