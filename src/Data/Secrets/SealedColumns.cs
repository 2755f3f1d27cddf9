using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace AgentPlatform.Data.Secrets;

/// <summary>The columns that hold sealed values, as text: base64 of <see cref="SecretBox"/>'s form. Who writes and who reads agree here.</summary>
public static class SealedColumns
{
    /// <summary>Purpose of <c>channels.credentials</c>: a JSON object of texts by name.</summary>
    public const string ChannelCredentials = "channel.credentials";

    /// <summary>Purpose of <c>llm_credentials.api_key</c>: the key itself.</summary>
    public const string LlmApiKey = "llm_credential.api_key";

    /// <summary>Purpose of <c>crm_connections.access_token</c>.</summary>
    public const string CrmAccessToken = "crm_connection.access_token";

    /// <summary>Purpose of <c>crm_connections.refresh_token</c>.</summary>
    public const string CrmRefreshToken = "crm_connection.refresh_token";

    /// <summary>Purpose of <c>crm_credentials.client_secret</c>.</summary>
    public const string CrmClientSecret = "crm_credential.client_secret";

    /// <summary>Purpose of <c>agent_integrations.secret</c>.</summary>
    public const string IntegrationSecret = "agent_integration.secret";

    /// <summary>Seals a text for a column.</summary>
    public static string SealText(this SecretBox box, Guid organizationId, string purpose, string text) =>
        Convert.ToBase64String(box.Seal(organizationId, purpose, text));

    /// <summary>Opens a column's text.</summary>
    /// <exception cref="SecretUnreadableException">The value was altered, belongs to another organization, or its key is not configured.</exception>
    public static string OpenText(this SecretBox box, Guid organizationId, string purpose, string column) =>
        Encoding.UTF8.GetString(box.Open(organizationId, purpose, Decode(column)));

    /// <summary>Seals a channel's credentials.</summary>
    public static string SealCredentials(this SecretBox box, Guid organizationId, IReadOnlyDictionary<string, string> credentials) =>
        Convert.ToBase64String(box.Seal(organizationId, ChannelCredentials, JsonSerializer.SerializeToUtf8Bytes(credentials)));

    /// <summary>Opens a channel's credentials; empty where the column is null.</summary>
    /// <exception cref="SecretUnreadableException">The value was altered, belongs to another organization, or its key is not configured.</exception>
    public static ImmutableDictionary<string, string> OpenCredentials(this SecretBox box, Guid organizationId, string? column) =>
        column is null
            ? ImmutableDictionary<string, string>.Empty
            : JsonSerializer.Deserialize<Dictionary<string, string>>(box.Open(organizationId, ChannelCredentials, Decode(column)))!.ToImmutableDictionary(StringComparer.Ordinal);

    /// <summary>Seals a provider's key.</summary>
    public static string SealApiKey(this SecretBox box, Guid organizationId, string key) =>
        box.SealText(organizationId, LlmApiKey, key);

    /// <summary>Opens a provider's key.</summary>
    /// <exception cref="SecretUnreadableException">The value was altered, belongs to another organization, or its key is not configured.</exception>
    public static string OpenApiKey(this SecretBox box, Guid organizationId, string column) =>
        box.OpenText(organizationId, LlmApiKey, column);

    private static byte[] Decode(string column)
    {
        try
        {
            return Convert.FromBase64String(column);
        }
        catch (FormatException failure)
        {
            throw new SecretUnreadableException("it is not base64", failure);
        }
    }
}
