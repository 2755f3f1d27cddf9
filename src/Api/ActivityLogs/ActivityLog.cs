using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Data;
using AgentPlatform.Data.Tenancy;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.ActivityLogs;

/// <summary>Writes audit rows, in the transaction of the change that they tell of.</summary>
public sealed class ActivityLog(TimeProvider clock)
{
    /// <summary>What stands for a secret that changed.</summary>
    public const string Masked = "***";

    /// <summary>Largest <c>before</c> or <c>after</c> kept, in bytes; of larger ones only the names of the members.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>Who changed what, from where. <paramref name="before"/> and <paramref name="after"/> are JSON objects without secrets.</summary>
    /// <param name="session">The change's transaction.</param>
    /// <param name="caller">Who and from where.</param>
    /// <param name="action">As <c>agent.updated</c>.</param>
    /// <param name="entityType">As <c>agent</c>.</param>
    /// <param name="entityId">The row.</param>
    /// <param name="before">Null for what is new.</param>
    /// <param name="after">Null for what is gone.</param>
    /// <param name="changedSecrets">Names of secrets that were set; they appear masked.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WriteAsync(
        TenantSession session, Caller caller, string action, string entityType, Guid entityId,
        ReadOnlyMemory<byte>? before, ReadOnlyMemory<byte>? after, IReadOnlyList<string> changedSecrets, CancellationToken cancellationToken) =>
        session.ExecuteAsync(
            """
            INSERT INTO activity_logs (id, organization_id, user_id, action_type, entity_type, entity_id, before, after, ip_address, user_agent, api_key_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """,
            cancellationToken,
            [Uuid.New(clock), caller.OrganizationId, caller.UserId, action, entityType, entityId, Json(before, []), Json(after, changedSecrets), .. Origin(caller)]);

    /// <summary>From where a caller acts: values for the columns <c>ip_address</c>, <c>user_agent</c> and <c>api_key_id</c>, in this order.</summary>
    internal static NpgsqlParameter[] Origin(Caller caller) =>
    [
        new() { NpgsqlDbType = NpgsqlDbType.Inet, Value = (object?)caller.IpAddress ?? DBNull.Value },
        new() { NpgsqlDbType = NpgsqlDbType.Text, Value = (object?)caller.UserAgent ?? DBNull.Value },
        new() { NpgsqlDbType = NpgsqlDbType.Uuid, Value = (object?)caller.ApiKeyId ?? DBNull.Value },
    ];

    /// <summary>A JSON object of a few members, for <c>before</c> and <c>after</c>.</summary>
    public static ReadOnlyMemory<byte> Members(params (string Name, object? Value)[] members) =>
        JsonSerializer.SerializeToUtf8Bytes(members.ToDictionary(member => member.Name, member => member.Value, StringComparer.Ordinal));

    /// <summary>The same for many rows of one kind that were made or changed together, in one statement.</summary>
    public Task WriteAllAsync(
        TenantSession session, Caller caller, string action, string entityType, IReadOnlyList<(Guid Id, ReadOnlyMemory<byte>? Before, ReadOnlyMemory<byte> After)> rows,
        CancellationToken cancellationToken) =>
        session.ExecuteAsync(
            """
            INSERT INTO activity_logs (id, organization_id, user_id, action_type, entity_type, entity_id, before, after, ip_address, user_agent, api_key_id)
            SELECT n.id, $1, $2, $3, $4, n.entity_id, n.before, n.after, $5, $6, $7 FROM unnest($8, $9, $10, $11) AS n (id, entity_id, before, after)
            """,
            cancellationToken,
            [
                caller.OrganizationId, caller.UserId, action, entityType, .. Origin(caller),
                rows.Select(_ => Uuid.New(clock)).ToArray(), rows.Select(row => row.Id).ToArray(),
                Json(rows.Select(row => row.Before is { } before ? Text(before, []) : null)), Json(rows.Select(row => Text(row.After, []))),
            ]);

    private static NpgsqlParameter Json(IEnumerable<string?> texts) => new() { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb, Value = texts.ToArray() };

    private static NpgsqlParameter Json(ReadOnlyMemory<byte>? json, IReadOnlyList<string> secrets) =>
        new() { NpgsqlDbType = NpgsqlDbType.Jsonb, Value = json is { } bytes ? Text(bytes, secrets) : DBNull.Value };

    private static string Text(ReadOnlyMemory<byte> json, IReadOnlyList<string> secrets)
    {
        if (json.Length > MaxBytes)
        {
            using var large = JsonDocument.Parse(json);
            return new JsonObject { ["tooLarge"] = true, ["members"] = new JsonArray([.. large.RootElement.EnumerateObject().Select(member => (JsonNode)member.Name)]) }.ToJsonString();
        }
        if (secrets.Count == 0)
        {
            return Encoding.UTF8.GetString(json.Span);
        }
        var node = JsonNode.Parse(json.Span)!.AsObject();
        foreach (var secret in secrets)
        {
            node[secret] = Masked;
        }
        return node.ToJsonString();
    }
}
