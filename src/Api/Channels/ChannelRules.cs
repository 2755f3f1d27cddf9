using System.Text.Json;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Secrets;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Channels;

/// <summary>What a channel must have before it is written: its platform's credentials, sealed; settings that fit; an address that may be called.</summary>
internal static class ChannelRules
{
    public static Task<Problem?> Check(ResourceChange change)
    {
        if (change.IsDeletion)
        {
            return Task.FromResult<Problem?>(null);
        }
        var platform = ChannelPlatforms.Find(change.Resulting<string>("platform")!);
        return Task.FromResult(CheckPlatformId(change, platform) ?? CheckAddress(change) ?? SealCredentials(change, platform) ?? MergeSettings(change, platform) ?? ClearBroken(change));
    }

    /// <summary>A web channel has a widget from the start.</summary>
    public static async Task AddWidget(ResourceChange change)
    {
        if (change.IsCreation && change.Values.Text("platform") == "web")
        {
            await change.Session.ExecuteAsync(
                "INSERT INTO web_widgets (channel_id, organization_id) VALUES ($1, $2) ON CONFLICT (channel_id) DO NOTHING",
                change.Request.Cancelled, change.Id, change.Caller.OrganizationId);
        }
    }

    /// <summary>The credential that goes out with what is sent, when it is sent elsewhere than before.</summary>
    private static Problem? CheckAddress(ResourceChange change)
    {
        if (change.Before is not { } before || change.Values.Object("settings") is not { } settings || !settings.Has("apiBaseUrl"))
        {
            return null;
        }
        using var stored = JsonDocument.Parse(before.Get<string>("settings") ?? "{}");
        var address = stored.RootElement.TryGetProperty("apiBaseUrl", out var url) ? url.GetString() : null;
        var set = change.Request.Service<SecretBox>().OpenCredentials(change.Caller.OrganizationId, before.Get<string>("credentialsSet"));
        return new[] { CredentialNames.AccessToken, CredentialNames.BotToken }.Where(set.ContainsKey)
            .Select(name => SecretAddress.Refuses("/settings/apiBaseUrl", address, settings.Text("apiBaseUrl"), $"/credentials/{name}", change.Values.Object("credentials")?.Has(name) == true))
            .FirstOrDefault(problem => problem is not null);
    }

    private static Problem? SealCredentials(ResourceChange change, ChannelPlatform platform)
    {
        var box = change.Request.Service<SecretBox>();
        var given = change.Values.Object("credentials");
        var merged = new Dictionary<string, string>(
            box.OpenCredentials(change.Caller.OrganizationId, change.Before?.Get<string>("credentialsSet")), StringComparer.Ordinal);
        foreach (var (field, value) in given?.All ?? [])
        {
            if (!platform.Credentials.Contains(field.Name))
            {
                return Problem.Invalid($"/credentials/{field.Name}", $"/credentials/{field.Name} is not a credential of {platform.Name}.");
            }
            if (field.Name == CredentialNames.BotToken && merged.TryGetValue(CredentialNames.BotToken, out var old) && BotOf(old) != BotOf((string)value!))
            {
                return Problem.Invalid(
                    "/credentials/botToken", "/credentials/botToken is another bot's, whose messages have the same numbers: new ones would be taken for old ones. Connect it as a channel of its own.");
            }
            merged[field.Name] = (string)value!;
        }
        var missing = platform.Credentials.Where(name => !merged.ContainsKey(name)).ToArray();
        if (missing.Length > 0 && (change.IsCreation || given is not null))
        {
            return Problem.Invalid([.. missing.Select(name => new FieldError($"/credentials/{name}", $"/credentials/{name} is required for {platform.Name}."))]);
        }
        if (given is not null)
        {
            change.Values.Remove("credentials");
            change.Columns["credentials"] = new NpgsqlParameter { Value = box.SealCredentials(change.Caller.OrganizationId, merged), NpgsqlDbType = NpgsqlDbType.Text };
            change.ChangedSecrets.Add("credentials");
        }
        return null;
    }

    /// <summary>The bot's own number, before the colon.</summary>
    private static string BotOf(string token) => token.Split(':')[0];

    private static Problem? CheckPlatformId(ResourceChange change, ChannelPlatform platform)
    {
        var id = change.Resulting<string>("platformChannelId");
        if (platform.NeedsPlatformId && string.IsNullOrWhiteSpace(id))
        {
            return Problem.Invalid("/platformChannelId", $"/platformChannelId is required for {platform.Name}.");
        }
        // Nothing but the bot's own number before the colon: one bot, one channel.
        if (platform.Name == "telegram" && id is null
            && change.Values.Object("credentials")?.Text(CredentialNames.BotToken)?.Split(':') is [{ Length: > 0 } number, _])
        {
            change.Columns["platform_channel_id"] = new NpgsqlParameter { Value = number, NpgsqlDbType = NpgsqlDbType.Text };
        }
        return null;
    }

    private static Problem? MergeSettings(ResourceChange change, ChannelPlatform platform)
    {
        if (change.Values.Object("settings") is not { } given)
        {
            return null;
        }
        if (given.Text("apiBaseUrl") is not null)
        {
            if (!platform.TakesBaseUrl)
            {
                return Problem.Invalid("/settings/apiBaseUrl", $"/settings/apiBaseUrl is not a setting of {platform.Name}.");
            }
        }
        if (EndpointCheck.Refusal(change) is { } refused)
        {
            return refused;
        }
        StoredSettings.Merge(change, "settings");
        return null;
    }

    /// <summary>Whoever changes a broken channel has mended it, or will hear of it again.</summary>
    private static Problem? ClearBroken(ResourceChange change)
    {
        if (!change.IsCreation)
        {
            change.Columns["broken_reason"] = new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };
            change.Columns["broken_at"] = new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz };
        }
        return null;
    }
}
