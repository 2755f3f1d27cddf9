using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Http;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Channels.WhatsApp;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Grains.Tests.Channels;

/// <summary>The connectors as the silo has them, allowed to call this machine, with everything that is logged.</summary>
internal sealed class ConnectorHost : IAsyncDisposable, ILoggerProvider
{
    private readonly ServiceProvider _services;

    public ConnectorHost(bool allowsPrivateEndpoints = true, string? whatsApp = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(this));
        services.AddSingleton(new EndpointOptions { AllowPrivateEndpoints = allowsPrivateEndpoints });
        if (whatsApp is not null)
        {
            services.AddSingleton(new WhatsAppOptions { BaseUrl = whatsApp });
        }
        services.AddChannels(new ConfigurationBuilder().Build());
        _services = services.BuildServiceProvider();
    }

    public ConcurrentQueue<string> Log { get; } = new();

    public IChannelConnector For(string platform) => _services.GetServices<IChannelConnector>().Single(connector => connector.Platform == platform);

    public static ChannelSettings Channel(string platform, string? baseUrl, string? platformChannelId, params (string Name, string Value)[] credentials) => new()
    {
        Id = Guid.NewGuid(),
        OrganizationId = Guid.NewGuid(),
        Platform = platform,
        PlatformChannelId = platformChannelId,
        Name = platform,
        IsActive = true,
        IsBotActive = true,
        IsOrganizationAiEnabled = true,
        ApiBaseUrl = baseUrl,
        Credentials = credentials.ToImmutableDictionary(credential => credential.Name, credential => credential.Value),
    };

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    ILogger ILoggerProvider.CreateLogger(string categoryName) => new Collector(this, categoryName);

    void IDisposable.Dispose()
    {
    }

    private sealed class Collector(ConnectorHost host, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            host.Log.Enqueue($"{category}: scope {state}");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            host.Log.Enqueue($"{category}: {formatter(state, exception)} {exception}");
    }
}
