using System.Security.Cryptography;
using System.Text;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Conversations;
using AgentPlatform.Data;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.Conversations;

/// <summary>Takes a member's command to the conversation's grain.</summary>
internal static class ConversationCommands
{
    /// <summary>The grain of a conversation that the caller can see; null where there is none.</summary>
    public static async Task<IConversationGrain?> Find(OperationRequest request, Guid? id)
    {
        if (id is null)
        {
            return null;
        }
        await using var row = await TenantSession.ReadAsync(
            request.Service<ApiDataSource>(), request.Caller.Tenant,
            "SELECT c.channel_id, k.first_identity FROM conversations c JOIN contacts k ON k.id = c.contact_id WHERE c.organization_id = $1 AND c.id = $2",
            request.Cancelled, request.Caller.OrganizationId, id);
        return await row.ReadAsync(request.Cancelled)
            ? request.Service<IGrainFactory>().GetGrain<IConversationGrain>(new ConversationKey(row.GetGuid(0), row.GetString(1)).ToString())
            : null;
    }

    /// <summary>Null when it is done; else the problem.</summary>
    public static Problem? ToProblem(CommandResult result, string invalidField) => result.Outcome switch
    {
        CommandOutcome.Done => null,
        CommandOutcome.NotFound => Problem.NotFound(),
        CommandOutcome.VersionConflict => Problem.Stale(result.Conversation!.Version),
        CommandOutcome.Invalid => Problem.Invalid(invalidField, result.Reason ?? "The platform can't carry this."),
        CommandOutcome.Refused => new Problem(ProblemType.Refused, result.Reason),
        _ => throw new ArgumentOutOfRangeException(nameof(result), result.Outcome, "Not an outcome."),
    };

    /// <summary>
    /// The id of the message that a request makes. A request with an Idempotency-Key always makes the same one, and the grain stores a message once: so
    /// a repeat, even after a crash between the grain's commit and ours, sends once.
    /// </summary>
    public static Guid MessageIdOf(OperationRequest request)
    {
        if (request.IdempotencyKey is null)
        {
            return Uuid.New(request.Service<TimeProvider>());
        }
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{request.Caller.OrganizationId:N} {request.Caller.UserId:N} {request.Http.Request.Path} {request.IdempotencyKey}"), hash);
        hash[6] = (byte)(0x80 | (hash[6] & 0x0F)); // version 8: made by a rule of our own
        hash[8] = (byte)(0x80 | (hash[8] & 0x3F));
        return new Guid(hash[..16], bigEndian: true);
    }

    /// <summary>Runs a command whose effect is another process's commit under the request's key: the answer is kept when it is done, the key is free again when not.</summary>
    public static async Task<IResult> Once(OperationRequest request, Func<Task<IResult>> command)
    {
        if (request.IdempotencyKey is null)
        {
            return await command();
        }
        var before = await request.InTransaction(async session =>
        {
            var kept = await Idempotency.Claim(session, request);
            await session.CommitAsync(request.Cancelled);
            return kept;
        });
        if (before is not null)
        {
            return before;
        }
        var result = await command();
        await request.InTransaction(async session =>
        {
            await (result is JsonAnswer answer ? Idempotency.Keep(session, request, answer) : Idempotency.Release(session, request));
            await session.CommitAsync(request.Cancelled);
        });
        return result;
    }
}
