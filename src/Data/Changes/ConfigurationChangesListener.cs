using System.Text.Json;
using System.Text.Json.Serialization;
using AgentPlatform.Data.Connections;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace AgentPlatform.Data.Changes;

/// <summary>Holds one connection that listens. After a break it connects again and says that everything may have changed, since messages were missed.</summary>
internal sealed partial class ConfigurationChangesListener(
    DataOptions options, ConfigurationChanges changes, TimeProvider time, ILogger<ConfigurationChangesListener> logger) : BackgroundService
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>A silent connection is probed this often, so that one that died unnoticed is found.</summary>
    private const int KeepAliveSeconds = 30;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = ShortestPause;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(() => pause = ShortestPause, stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure) when (failure is NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException)
            {
                LogBroken(failure.GetType().Name, pause.TotalMilliseconds);
                await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 > LongestPause ? LongestPause : pause * 2;
            }
        }
    }

    private async Task ListenAsync(Action connected, CancellationToken cancellationToken)
    {
        var builder = new NpgsqlConnectionStringBuilder(options.ApiConnectionString)
        {
            Pooling = false,
            KeepAlive = KeepAliveSeconds,
            MaxAutoPrepare = 0,
            ApplicationName = "agentplatform configuration listener",
        };
        await using var connection = new NpgsqlConnection(builder.ConnectionString);
        connection.Notification += (_, notification) => Receive(notification.Payload);
        await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (var listen = new NpgsqlCommand("listen configuration_changed", connection))
        {
            await listen.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }

        connected();
        // Also after the first connect: a cache may have been filled before it.
        Publish(ConfigurationChange.Everything);
        while (true)
        {
            await connection.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Receive(string payload)
    {
        ConfigurationChange? change = null;
        try
        {
            change = JsonSerializer.Deserialize(payload, ChangeJson.Default.ConfigurationChange);
        }
        catch (JsonException)
        {
            LogMalformed();
        }

        // What can't be understood may have been anything.
        Publish(change ?? ConfigurationChange.Everything);
    }

    /// <summary>A subscriber that throws must not silence the others for good: it is logged, and the listener goes on.</summary>
    private void Publish(ConfigurationChange change)
    {
        try
        {
            changes.Publish(change);
        }
        catch (Exception failure)
        {
            LogSubscriberFailed(failure, change.Table ?? "everything");
        }
    }

    [LoggerMessage(1101, LogLevel.Warning, "Listening for configuration changes broke off ({Failure}); connecting again in {Milliseconds} ms")]
    private partial void LogBroken(string failure, double milliseconds);

    [LoggerMessage(1102, LogLevel.Warning, "A configuration change had a payload that is not understood; treating everything as changed")]
    private partial void LogMalformed();

    [LoggerMessage(1103, LogLevel.Error, "A subscriber failed on a configuration change of {Table}")]
    private partial void LogSubscriberFailed(Exception failure, string table);
}

[JsonSerializable(typeof(ConfigurationChange))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class ChangeJson : JsonSerializerContext;
