using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using AgentPlatform.Api.Webhooks;
using AgentPlatform.Channels;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Api.Tests.Webhooks;

/// <summary>The webhook routes over real HTTP, with channels in memory and conversations that only remember what they were given.</summary>
public sealed class WebhookHost : IAsyncDisposable, IChannelDirectory, IPlatformCredentials, ILoggerProvider
{
    private readonly WebApplication _application;
    private readonly ConcurrentDictionary<Guid, ChannelSettings> _channels = new();

    private WebhookHost(WebhookOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(this);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IChannelDirectory>(this);
        builder.Services.AddSingleton<IPlatformCredentials>(this);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(GrainFactoryStub.For(key => new RecordingConversation(key, this), channel => new RecordingReceipts(channel, this)));
        builder.Services.AddWebhooks(builder.Configuration);
        _application = builder.Build();
        _application.MapWebhooks();
    }

    public HttpClient Client { get; private set; } = null!;

    /// <summary>What conversations received, in the order in which they were called.</summary>
    public ConcurrentQueue<(string Key, InboundBatch Batch)> Batches { get; } = new();

    /// <summary>What was told of messages, by channel.</summary>
    public ConcurrentQueue<(Guid ChannelId, Guid OrganizationId, ImmutableArray<DeliveryReceipt> Receipts)> Receipts { get; } = new();

    /// <summary>What a conversation does before it remembers: wait, or throw.</summary>
    public Func<string, Task> OnReceive { get; set; } = _ => Task.CompletedTask;

    /// <summary>Makes every look-up of a channel fail.</summary>
    public Exception? DirectoryFailure { get; set; }

    public ConcurrentQueue<(LogLevel Level, string Text)> Log { get; } = new();

    public int LookUps;

    /// <summary>A service of the host's.</summary>
    internal T Get<T>()
        where T : notnull => _application.Services.GetRequiredService<T>();

    internal static async Task<WebhookHost> Start(WebhookOptions? options = null)
    {
        var host = new WebhookHost(options ?? new WebhookOptions());
        await host._application.StartAsync();
        host.Client = new HttpClient { BaseAddress = new Uri(host._application.Urls.First()) };
        return host;
    }

    public ChannelSettings AddWhatsApp(string phoneNumberId, string? appSecret = "app-secret", string? verifyToken = "verify-me", bool isActive = true) =>
        Add("whatsapp", phoneNumberId, isActive, ("appSecret", appSecret), ("verifyToken", verifyToken));

    public ChannelSettings AddTelegram(string? secretToken = "secret-token", bool isActive = true) =>
        Add("telegram", "123456", isActive, ("secretToken", secretToken));

    public IEnumerable<InboundMessage> Messages => Batches.SelectMany(batch => batch.Batch.Messages);

    /// <summary>Nothing above a warning was logged.</summary>
    public void AssertQuiet()
    {
        var loud = Log.Where(entry => entry.Level > LogLevel.Warning).Select(entry => entry.Text).ToArray();
        Assert.True(loud.Length == 0, string.Join(Environment.NewLine, loud));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _application.DisposeAsync();
    }

    public ValueTask<ChannelSettings?> Find(Guid channelId, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref LookUps);
        return DirectoryFailure is null ? new(_channels.GetValueOrDefault(channelId)) : ValueTask.FromException<ChannelSettings?>(DirectoryFailure);
    }

    public async ValueTask<ImmutableArray<Guid>> FindByPlatformId(string platform, string platformChannelId, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref LookUps);
        await Task.Yield();
        return DirectoryFailure is null
            ? [.. _channels.Values.Where(channel => channel.Platform == platform && channel.PlatformChannelId == platformChannelId).Select(channel => channel.Id)]
            : throw DirectoryFailure;
    }

    public ValueTask<ImmutableArray<string>> FindAll(string platform, string credential, CancellationToken cancellationToken) => new(
        [.. _channels.Values.Where(channel => channel.Platform == platform && channel.IsActive).Select(channel => channel.Credentials.GetValueOrDefault(credential)).OfType<string>().Distinct()]);

    ILogger ILoggerProvider.CreateLogger(string categoryName) => new Collector(this);

    void IDisposable.Dispose()
    {
    }

    private ChannelSettings Add(string platform, string platformChannelId, bool isActive, params (string Name, string? Value)[] credentials)
    {
        var channel = new ChannelSettings
        {
            Id = Guid.NewGuid(),
            OrganizationId = Guid.NewGuid(),
            Platform = platform,
            PlatformChannelId = platformChannelId,
            Name = platform,
            IsActive = isActive,
            IsBotActive = true,
            IsOrganizationAiEnabled = true,
            Credentials = credentials.Where(credential => credential.Value is not null).ToImmutableDictionary(credential => credential.Name, credential => credential.Value!),
        };
        _channels[channel.Id] = channel;
        return channel;
    }

    private sealed class Collector(WebhookHost host) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            host.Log.Enqueue((logLevel, $"{formatter(state, exception)} {exception}"));
    }

    private sealed class RecordingConversation(string key, WebhookHost host) : IConversationGrain
    {
        public async Task<ReceiveResult> Receive(InboundBatch batch)
        {
            await host.OnReceive(key);
            host.Batches.Enqueue((key, batch));
            return new ReceiveResult(batch.Messages.Length, 0);
        }

        public Task RecordReceipts(Guid organizationId, ImmutableArray<DeliveryReceipt> receipts) => throw new NotSupportedException();

        public Task Forget() => throw new NotSupportedException();

        public Task<CommandResult> Send(SendMessage command) => throw new NotSupportedException();

        public Task<CommandResult> Change(ConversationChange change) => throw new NotSupportedException();

        public Task Wake() => throw new NotSupportedException();
    }

    private sealed class RecordingReceipts(Guid channel, WebhookHost host) : IReceiptGrain
    {
        public async Task Record(Guid organizationId, ImmutableArray<DeliveryReceipt> receipts)
        {
            await host.OnReceive(channel.ToString());
            host.Receipts.Enqueue((channel, organizationId, receipts));
        }
    }
}

/// <summary>An <see cref="IGrainFactory"/> that knows conversations and takers of receipts only. A proxy, because the two runtimes' interfaces differ in what else they have.</summary>
public class GrainFactoryStub : DispatchProxy
{
    private Func<string, IConversationGrain> _conversation = null!;
    private Func<Guid, IReceiptGrain> _receipts = null!;

    public static IGrainFactory For(Func<string, IConversationGrain> conversation, Func<Guid, IReceiptGrain> receipts)
    {
        var factory = Create<IGrainFactory, GrainFactoryStub>();
        ((GrainFactoryStub)(object)factory)._conversation = conversation;
        ((GrainFactoryStub)(object)factory)._receipts = receipts;
        return factory;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod is { Name: "GetGrain" } && targetMethod.ReturnType == typeof(IConversationGrain) && args is [string key, ..]
            ? _conversation(key)
            : targetMethod is { Name: "GetGrain" } && targetMethod.ReturnType == typeof(IReceiptGrain) && args is [Guid channel, ..]
            ? _receipts(channel)
            : throw new NotSupportedException(targetMethod?.ToString());
}
