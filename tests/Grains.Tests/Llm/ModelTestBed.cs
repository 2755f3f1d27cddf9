using AgentPlatform.Data.Http;
using AgentPlatform.Fakes.Llm;
using AgentPlatform.Grains.Llm;
using AgentPlatform.Grains.Llm.OpenAi;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Tests.Llm;

/// <summary>The real client, over real HTTP, before an emulated server; time-outs and pauses are tiny.</summary>
internal sealed class ModelTestBed : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private ModelTestBed(FakeModelServer server, LlmOptions options, TimeProvider time, bool allowPrivate)
    {
        Server = server;
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("ALLOW_PRIVATE_ENDPOINTS", (string?)(allowPrivate ? "true" : "false"))]).Build();
        _services = new ServiceCollection().AddLogging().AddGuardedHttp(configuration).AddGuardedHttpClient(LlmOptions.HttpClient, Timeout.InfiniteTimeSpan).BuildServiceProvider();
        Transport = new OpenAiTransport(
            _services.GetRequiredService<IHttpClientFactory>(), _services.GetRequiredService<EndpointPolicy>(), new ModelCircuits(Options.Create(options), time), Options.Create(options), TimeProvider.System);
    }

    public static LlmOptions Quick { get; } = new()
    {
        IdleTimeout = TimeSpan.FromSeconds(20),
        FirstRetryDelay = TimeSpan.FromMilliseconds(1),
        LongestRetryDelay = TimeSpan.FromMilliseconds(5),
        MaxResponseBytes = 64 * 1024,
        CircuitMinimumCalls = 1000,
    };

    /// <summary>Gives up soon on a silent model. Where the machine is busy a healthy one can seem silent too, so there are more tries.</summary>
    public static LlmOptions Impatient { get; } = Quick with { IdleTimeout = TimeSpan.FromMilliseconds(300), MaxRetries = 10 };

    public static IReadOnlyList<ChatMessage> Hello { get; } = [new(ChatRole.System, "Be kind."), new(ChatRole.User, "Hello")];

    public FakeModelServer Server { get; }

    public OpenAiTransport Transport { get; }

    public static async Task<ModelTestBed> CreateAsync(LlmOptions? options = null, TimeProvider? circuitTime = null, bool allowPrivate = true) =>
        new(await FakeModelServer.StartAsync(), options ?? Quick, circuitTime ?? TimeProvider.System, allowPrivate);

    public ModelEndpoint Endpoint(Guid? organizationId = null, string provider = "openai_compatible", string model = "test-model", ModelCapabilities? capabilities = null) => new()
    {
        OrganizationId = organizationId ?? Guid.Empty,
        Provider = provider,
        ModelId = model,
        BaseUrl = new Uri(Server.BaseUrl + "/"),
        ApiKey = "sk-test",
        Capabilities = capabilities ?? new ModelCapabilities(),
    };

    public IChatClient Client(ModelEndpoint? endpoint = null) => new OpenAiCompatibleChatClient(endpoint ?? Endpoint(), Transport);

    public async Task<LlmException> Fails() => await Assert.ThrowsAsync<LlmException>(() => Client().GetResponseAsync(Hello));

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await Server.DisposeAsync();
    }
}
