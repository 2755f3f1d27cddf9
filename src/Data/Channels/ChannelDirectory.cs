using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Secrets;
using AgentPlatform.Data.Texts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace AgentPlatform.Data.Channels;

/// <summary>
/// Channels, remembered in this process. A known channel is found without waiting; a change in Postgres makes it forget what the change concerns.
/// Channels that don't exist are remembered too, up to a bound, so that a stranger who guesses ids doesn't reach the database each time. A channel in which nobody
/// answers is logged when that is first found, and again when the reason changes.
/// </summary>
internal sealed partial class ChannelDirectory : IChannelDirectory, IPlatformCredentials, IDisposable
{
    /// <summary>Most ids remembered as unknown; then all of those are forgotten.</summary>
    internal int MaxUnknownRemembered { get; init; } = 10_000;

    /// <summary>Most channels of which is remembered that they were logged as not answered; then all of those are forgotten.</summary>
    private const int MaxNotAnsweredRemembered = 10_000;

    /// <summary>Most channels whose credentials are looked through for an address that serves a whole app.</summary>
    internal const int MaxChannelsPerPlatform = 10_000;

    /// <summary>Channels that are looked at for one account of a platform: those that it has confirmed, then the newest. Naming an account costs nothing, looking at who did would.</summary>
    internal const int MaxChannelsPerAccount = 8;

    private readonly ApiDataSource _source;
    private readonly SecretBox _secrets;
    private readonly ILogger<ChannelDirectory> _logger;
    private readonly IDisposable _subscription;
    private readonly ConcurrentDictionary<Guid, Task<ChannelSettings?>> _byId = new();
    private readonly ConcurrentDictionary<(string Platform, string Id), Task<ImmutableArray<Guid>>> _byPlatformId = new();
    private readonly ConcurrentDictionary<(string Platform, string Name), Task<ImmutableArray<string>>> _credentials = new();
    private readonly ConcurrentDictionary<Guid, string> _toldNotAnswered = new();
    private int _unknown;

    public ChannelDirectory(ApiDataSource source, SecretBox secrets, ConfigurationChanges changes, ILogger<ChannelDirectory> logger)
    {
        _source = source;
        _secrets = secrets;
        _logger = logger;
        _subscription = changes.Subscribe(Forget);
    }

    /// <summary>Entries in memory.</summary>
    internal int Remembered => _byId.Count + _byPlatformId.Count;

    public void Dispose() => _subscription.Dispose();

    public ValueTask<ChannelSettings?> Find(Guid channelId, CancellationToken cancellationToken) =>
        _byId.TryGetValue(channelId, out var known) && known.IsCompletedSuccessfully
            ? new(known.Result)
            : new(Remember(_byId, channelId, Load).WaitAsync(cancellationToken));

    public ValueTask<ImmutableArray<Guid>> FindByPlatformId(string platform, string platformChannelId, CancellationToken cancellationToken) =>
        _byPlatformId.TryGetValue((platform, platformChannelId), out var known) && known.IsCompletedSuccessfully
            ? new(known.Result)
            : new(Remember(_byPlatformId, (platform, platformChannelId), LoadCalled).WaitAsync(cancellationToken));

    public ValueTask<ImmutableArray<string>> FindAll(string platform, string credential, CancellationToken cancellationToken) =>
        _credentials.TryGetValue((platform, credential), out var known) && known.IsCompletedSuccessfully
            ? new(known.Result)
            : new(Remember(_credentials, (platform, credential), LoadCredentials).WaitAsync(cancellationToken));

    /// <summary>One load for all who ask at the same time. A load that fails is not remembered.</summary>
    private Task<TValue> Remember<TKey, TValue>(ConcurrentDictionary<TKey, Task<TValue>> cache, TKey key, Func<TKey, Task<TValue>> load)
        where TKey : notnull
    {
        if (cache.TryGetValue(key, out var known))
        {
            return known;
        }

        // The entry stands before the load begins, so that a change that comes in between removes it.
        var promise = new TaskCompletionSource<TValue>(TaskCreationOptions.RunContinuationsAsynchronously);
        var entry = cache.GetOrAdd(key, promise.Task);
        if (entry == promise.Task)
        {
            _ = Fill();
        }

        return entry;

        async Task Fill()
        {
            try
            {
                var value = await load(key).ConfigureAwait(false);
                if (value is null or ImmutableArray<Guid> { IsEmpty: true } && Interlocked.Increment(ref _unknown) > MaxUnknownRemembered)
                {
                    ForgetUnknown();
                }

                promise.SetResult(value);
            }
            catch (Exception failure)
            {
                cache.TryRemove(new(key, promise.Task));
                promise.SetException(failure);
                _ = promise.Task.Exception; // seen, even if everyone who waited has given up
            }
        }
    }

    private void Forget(ConfigurationChange change)
    {
        switch (change.Table)
        {
            case null:
                _byId.Clear();
                _byPlatformId.Clear();
                _credentials.Clear();
                Volatile.Write(ref _unknown, 0);
                break;
            case "channels":
                ForgetWhere(known => known is null || known.Id == change.Id);
                _byPlatformId.Clear();
                _credentials.Clear();
                Volatile.Write(ref _unknown, 0);
                break;
            // Any agent may become, or stop being, the one that answers where a channel names none.
            case "agents" or "organizations" or "keyword_actions" or "content_collections":
                ForgetWhere(known => known?.OrganizationId == change.OrganizationId && change.OrganizationId is not null);
                break;
        }
    }

    private void ForgetUnknown()
    {
        ForgetWhere(known => known is null);
        foreach (var entry in _byPlatformId.Where(entry => !entry.Value.IsCompletedSuccessfully || entry.Value.Result.IsEmpty))
        {
            _byPlatformId.TryRemove(entry);
        }

        Volatile.Write(ref _unknown, 0);
    }

    /// <summary>Removes what matches, and every load under way: it may have read the old state.</summary>
    private void ForgetWhere(Func<ChannelSettings?, bool> matches)
    {
        foreach (var entry in _byId)
        {
            if (!entry.Value.IsCompletedSuccessfully || matches(entry.Value.Result))
            {
                _byId.TryRemove(entry);
            }
        }

    }

    private async Task<ImmutableArray<Guid>> LoadCalled((string Platform, string Id) account)
    {
        await using var command = _source.CreateCommand("SELECT channels_called($1, $2, $3)");
        command.Parameters.Add(new() { Value = account.Platform });
        command.Parameters.Add(new() { Value = account.Id });
        command.Parameters.Add(new() { Value = MaxChannelsPerAccount });
        return [.. (Guid[])(await command.ExecuteScalarAsync().ConfigureAwait(false))!];
    }

    private async Task<ChannelSettings?> Load(Guid id)
    {
        await using var command = _source.CreateCommand("""
            SELECT id, organization_id, platform, platform_channel_id, agent_id, name, is_active, is_bot_active, organization_ai_enabled,
                broken_reason, credentials, settings, response_delay_seconds, on_new_message, agent_is_active, keywords, not_answered_code
            FROM find_channel_for_webhook($1, NULL, NULL)
            """);
        command.Parameters.Add(new() { Value = id });
        await using var reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
        var channel = await reader.ReadAsync().ConfigureAwait(false) ? Read(reader) : null;
        if (channel is not null)
        {
            TellNotAnswered(channel);
        }

        return channel;
    }

    /// <summary>Once for each change: a channel is read again after every change of its organization.</summary>
    private void TellNotAnswered(ChannelSettings channel)
    {
        if (channel.NotAnsweredCode is not { } code)
        {
            _toldNotAnswered.TryRemove(channel.Id, out _);
        }
        else if (_toldNotAnswered.Count >= MaxNotAnsweredRemembered || !_toldNotAnswered.TryGetValue(channel.Id, out var told) || told != code)
        {
            if (_toldNotAnswered.Count >= MaxNotAnsweredRemembered)
            {
                _toldNotAnswered.Clear();
            }

            _toldNotAnswered[channel.Id] = code;
            LogNotAnswered(channel.Platform, channel.Id, channel.Name, channel.OrganizationId, code, NotAnswered.Describe(code));
        }
    }

    private ChannelSettings Read(NpgsqlDataReader row)
    {
        var channelId = row.GetGuid(0);
        var organizationId = row.GetGuid(1);
        using var settings = JsonDocument.Parse(row.GetString(11));
        using var keywords = JsonDocument.Parse(row.GetString(15));
        return new ChannelSettings
        {
            Id = channelId,
            OrganizationId = organizationId,
            Platform = row.GetString(2),
            PlatformChannelId = Text(row, 3),
            AgentId = row.IsDBNull(4) ? null : row.GetGuid(4),
            Name = row.GetString(5),
            IsActive = row.GetBoolean(6),
            IsBotActive = row.GetBoolean(7),
            IsOrganizationAiEnabled = row.GetBoolean(8),
            BrokenReason = Text(row, 9),
            Credentials = Open(organizationId, channelId, Text(row, 10)),
            ApiBaseUrl = Setting(settings.RootElement, "apiBaseUrl") is { ValueKind: JsonValueKind.String } url && url.GetString() is { Length: > 0 } text ? text : null,
            SendRatePerSecond = Setting(settings.RootElement, "sendRatePerSecond") is { ValueKind: JsonValueKind.Number } rate && rate.GetDouble() is > 0 and var value ? value : null,
            AnswersGroups = Setting(settings.RootElement, "answersGroups") is { ValueKind: JsonValueKind.True or JsonValueKind.False } groups ? groups.GetBoolean() : null,
            LateAfter = Setting(settings.RootElement, "lateAfterMinutes") is { ValueKind: JsonValueKind.Number } late && late.TryGetInt32(out var minutes) && minutes > 0
                ? TimeSpan.FromMinutes(minutes) : ChannelSettings.DefaultLateAfter,
            OnLateMessage = Setting(settings.RootElement, "onLateMessage") is { ValueKind: JsonValueKind.String } what ? LateMessagesOf(what.GetString()) : LateMessages.HandOver,
            ResponseDelaySeconds = row.IsDBNull(12) ? 0 : row.GetInt32(12),
            RestartsOnNewMessage = row.IsDBNull(13) || row.GetString(13) == "restart",
            HasActiveAgent = row.GetBoolean(14),
            NotAnsweredCode = Text(row, 16),
            Keywords = Keywords(keywords.RootElement),
        };
    }

    private static LateMessages LateMessagesOf(string? name) => name switch { "answer" => LateMessages.Answer, "leave" => LateMessages.Leave, _ => LateMessages.HandOver };

    private static JsonElement? Setting(JsonElement settings, string name) =>
        settings.ValueKind == JsonValueKind.Object && settings.TryGetProperty(name, out var value) ? value : null;

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static ImmutableDictionary<string, KeywordAction> Keywords(JsonElement keywords)
    {
        var byKeyword = ImmutableDictionary.CreateBuilder<string, KeywordAction>(StringComparer.Ordinal);
        foreach (var keyword in keywords.EnumerateArray())
        {
            byKeyword[ComparableText.Keyword(keyword.GetProperty("keyword").GetString()!)] = new KeywordAction(
                keyword.GetProperty("action").GetString()!,
                [.. keyword.GetProperty("items").EnumerateArray().Select(item => item.GetString() ?? "")]);
        }

        return byKeyword.ToImmutable();
    }

    /// <summary>A channel whose credentials can't be opened is a channel without credentials: it takes no webhooks and sends nothing.</summary>
    private ImmutableDictionary<string, string> Open(Guid organizationId, Guid? channelId, string? column)
    {
        try
        {
            return _secrets.OpenCredentials(organizationId, column);
        }
        catch (SecretUnreadableException failure)
        {
            LogUnreadable(organizationId, channelId, failure.Message);
            return ImmutableDictionary<string, string>.Empty;
        }
    }

    private async Task<ImmutableArray<string>> LoadCredentials((string Platform, string Name) wanted)
    {
        await using var command = _source.CreateCommand("SELECT organization_id, credentials FROM list_sealed_credentials($1, $2)");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = wanted.Platform });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = MaxChannelsPerPlatform });
        await using var reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
        var distinct = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync().ConfigureAwait(false))
        {
            if (Open(reader.GetGuid(0), null, reader.GetString(1)).GetValueOrDefault(wanted.Name) is { Length: > 0 } value)
            {
                distinct.Add(value);
            }
        }

        return [.. distinct];
    }

    [LoggerMessage(1201, LogLevel.Error, "The credentials of a channel can't be opened (organization {OrganizationId}, channel {ChannelId}): {Reason}")]
    private partial void LogUnreadable(Guid organizationId, Guid? channelId, string reason);

    [LoggerMessage(1202, LogLevel.Warning, "Nobody answers in {Platform} channel {ChannelId} ({Name}) of organization {OrganizationId}: {Code}. {Reason}")]
    private partial void LogNotAnswered(string platform, Guid channelId, string name, Guid organizationId, string code, string reason);
}

/// <summary>The credentials of all active channels of a platform, for addresses that serve a whole app rather than one channel.</summary>
public interface IPlatformCredentials
{
    /// <summary>The distinct values of one credential (<see cref="CredentialNames"/>).</summary>
    ValueTask<ImmutableArray<string>> FindAll(string platform, string credential, CancellationToken cancellationToken);
}

/// <summary>Registration of the channel directory.</summary>
public static class ChannelDirectoryServices
{
    /// <summary>Adds <see cref="IChannelDirectory"/> and <see cref="IPlatformCredentials"/>. Needs <see cref="DataServices.AddData"/>. May be called more than once.</summary>
    public static IServiceCollection AddChannelDirectory(this IServiceCollection services)
    {
        services.TryAddSingleton<ChannelDirectory>();
        services.TryAddSingleton<IChannelDirectory>(provider => provider.GetRequiredService<ChannelDirectory>());
        services.TryAddSingleton<IPlatformCredentials>(provider => provider.GetRequiredService<ChannelDirectory>());
        return services;
    }
}
