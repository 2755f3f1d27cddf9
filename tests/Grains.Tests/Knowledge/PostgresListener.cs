using AgentPlatform.Data;
using AgentPlatform.Data.Changes;
using AgentPlatform.Grains.Tests.Agents;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.Grains.Tests.Knowledge;

/// <summary>Announces what Postgres announces, to the caches and workers of a test company.</summary>
internal sealed class PostgresListener : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly List<IHostedService> _hosted;

    private PostgresListener(ServiceProvider services)
    {
        _services = services;
        _hosted = [.. services.GetServices<IHostedService>()];
    }

    /// <summary>Listens when it returns.</summary>
    public static async Task<PostgresListener> StartAsync(TestCompany company)
    {
        var changes = company.Services.GetRequiredService<ConfigurationChanges>();
        var services = new ServiceCollection().AddLogging().AddSingleton(company.Database.DataOptions).AddSingleton(changes);
        services.AddData(new ConfigurationBuilder().Build());
        var listener = new PostgresListener(services.BuildServiceProvider());
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var subscription = changes.Subscribe(change =>
        {
            if (change.IsEverything)
            {
                listening.TrySetResult();
            }
        });
        foreach (var service in listener._hosted)
        {
            await service.StartAsync(CancellationToken.None);
        }

        await listening.Task.WaitAsync(TimeSpan.FromSeconds(30));
        return listener;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _hosted)
        {
            await service.StopAsync(CancellationToken.None);
        }

        await _services.DisposeAsync();
    }
}
