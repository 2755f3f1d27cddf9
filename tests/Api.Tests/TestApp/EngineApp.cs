using AgentPlatform.Fakes;
using AgentPlatform.Fakes.WhatsApp;
using AgentPlatform.Grains;
using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.Api.Tests.TestApp;

/// <summary>The API with the engine in the same process, as <c>./run</c> has it, and WhatsApp's API beside it.</summary>
public class EngineApp : ApiApp, IAsyncLifetime
{
    public const string AppSecret = "an app secret";
    public const string AccessToken = "an access token";

    public FakeGraphApi Graph { get; private set; } = null!;

    /// <summary>A channel of the organization, made through the API; returns it with its phone number id.</summary>
    public async Task<WhatsAppLine> NewLine(TestOrganization organization, Guid? agentId = null)
    {
        var number = Random.Shared.NextInt64(100_000_000_000, 999_999_999_999).ToString(System.Globalization.CultureInfo.InvariantCulture);
        Graph.AddNumber(number, AccessToken);
        var channel = await organization.Create("channels", new
        {
            name = "WhatsApp",
            platform = "whatsapp",
            platformChannelId = number,
            agentId,
            credentials = new { appSecret = AppSecret, verifyToken = "verify", accessToken = AccessToken },
            settings = new { apiBaseUrl = Graph.BaseUrl },
        });
        return new WhatsAppLine(this, channel.Id(), number);
    }

    async Task IAsyncLifetime.InitializeAsync()
    {
        Graph = await FakeGraphApi.StartAsync();
        await InitializeAsync();
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        await DisposeAsync();
        await Graph.DisposeAsync();
    }

    protected override Dictionary<string, string?> Settings() => new(base.Settings()) { ["ALLOW_PRIVATE_ENDPOINTS"] = "true" };

    protected override void Configure(WebApplicationBuilder builder)
    {
        builder.Services.AddEngine(builder.Configuration);
        builder.Services.AddChannels(builder.Configuration);
        builder.Services.AddAgents(builder.Configuration);
        base.Configure(builder);
        // Orleans asks for its clocks by key: a test's clock is the application's, and must not stop or rush what a silo does for itself.
        builder.Services.AddKeyedSingleton(KeyedService.AnyKey, TimeProvider.System);
        var (port, gateway) = TestPorts.Pair();
        builder.UseOrleans(silo => silo
            .UseLocalhostClustering(port, gateway, serviceId: "tests", clusterId: Guid.NewGuid().ToString("N"))
            .AddMemoryGrainStorageAsDefault()
            .UseInMemoryReminderService());
    }
}

/// <summary>A WhatsApp number that customers write to.</summary>
public sealed class WhatsAppLine(EngineApp app, Guid channelId, string number)
{
    private readonly WhatsAppPlatform _platform = new(app.Anonymous, new Uri(app.Address, $"/webhooks/whatsapp/{channelId}"), EngineApp.AppSecret);

    public Guid ChannelId => channelId;

    public string Number => number;

    /// <summary>A customer writes; the platform's webhook has its 200 when this returns.</summary>
    public async Task Write(string from, string text)
    {
        using var answer = await _platform.Deliver(WhatsAppBodies.Text(number, from, $"wamid.{Guid.NewGuid():N}", text, at: app.Services.GetRequiredService<TimeProvider>().GetUtcNow()));
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>The next message that this number sent. Others' messages are passed over: one test at a time waits here.</summary>
    public async Task<GraphMessage> NextSent()
    {
        using var patience = new CancellationTokenSource(Eventually.Patience);
        while (true)
        {
            if (await app.Graph.NextMessage(patience.Token) is { } sent && sent.PhoneNumberId == number)
            {
                return sent;
            }
        }
    }

    public Task Confirm(GraphMessage message, params string[] statuses) => _platform.DeliverReceipts(message, statuses);
}
