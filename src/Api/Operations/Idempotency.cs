using System.Text;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Tenancy;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Operations;

/// <summary>
/// The same <c>Idempotency-Key</c> gives the same answer for a day. The key is claimed in the transaction that does the work, so that a request which fails
/// leaves it free, and a second one that comes meanwhile waits for the first. Keys of different members don't meet.
/// </summary>
internal static class Idempotency
{
    /// <summary>Claims the key of a request. An answer means: it was done before (or the key is another request's), answer this.</summary>
    public static async Task<IResult?> Claim(TenantSession session, OperationRequest request)
    {
        if (request.IdempotencyKey is null)
        {
            return null;
        }
        bool isOurs;
        await using (var claimed = await session.QueryAsync(
            """
            INSERT INTO idempotency_keys AS k (organization_id, key, request_hash) VALUES ($1, $2, $3)
            ON CONFLICT (organization_id, key) DO UPDATE
            SET request_hash = excluded.request_hash, status_code = NULL, response_headers = NULL, response_body = NULL, created_at = now()
            WHERE k.created_at < now() - interval '1 day'
            RETURNING 1
            """,
            request.Cancelled, request.Caller.OrganizationId, Key(request), request.Fingerprint))
        {
            isOurs = await claimed.ReadAsync(request.Cancelled);
        }
        return isOurs ? null : await Repeat(session, request);
    }

    /// <summary>Keeps the answer, in the same transaction.</summary>
    public static Task Keep(TenantSession session, OperationRequest request, JsonAnswer answer) =>
        request.IdempotencyKey is null
            ? Task.CompletedTask
            : session.ExecuteAsync(
                "UPDATE idempotency_keys SET status_code = $3, response_headers = $4, response_body = $5 WHERE organization_id = $1 AND key = $2",
                request.Cancelled, request.Caller.OrganizationId, Key(request), answer.Status,
                new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Jsonb, Value = System.Text.Json.JsonSerializer.Serialize(new { version = answer.Version, location = answer.Location }) },
                Encoding.UTF8.GetString(answer.Body.Span));

    /// <summary>Gives the key back: nothing was done.</summary>
    public static Task Release(TenantSession session, OperationRequest request) =>
        session.ExecuteAsync(
            "DELETE FROM idempotency_keys WHERE organization_id = $1 AND key = $2 AND status_code IS NULL", request.Cancelled, request.Caller.OrganizationId, Key(request));

    /// <summary>The answer that was kept; a problem when the key belongs to another request. Null when the key is claimed but has no answer.</summary>
    private static async Task<IResult?> Repeat(TenantSession session, OperationRequest request)
    {
        await using var row = await session.QueryAsync(
            """
            SELECT request_hash, status_code, response_body, (response_headers ->> 'version')::bigint, response_headers ->> 'location'
            FROM idempotency_keys WHERE organization_id = $1 AND key = $2
            """,
            request.Cancelled, request.Caller.OrganizationId, Key(request));
        if (!await row.ReadAsync(request.Cancelled) || !row.GetFieldValue<byte[]>(0).AsSpan().SequenceEqual(request.Fingerprint))
        {
            return new Problem(ProblemType.IdempotencyKeyReused);
        }
        return row.IsDBNull(1)
            ? null
            : JsonAnswer.OfBytes(
                Encoding.UTF8.GetBytes(row.GetString(2)), row.GetInt32(1), row.IsDBNull(3) ? null : row.GetInt64(3), row.IsDBNull(4) ? null : row.GetString(4));
    }

    private static string Key(OperationRequest request) => $"{request.Caller.UserId:N}:{request.IdempotencyKey}";
}
