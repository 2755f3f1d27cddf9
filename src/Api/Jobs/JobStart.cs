using System.Collections.Immutable;
using System.Text.Json;
using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Data;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;
using AgentPlatform.Jobs;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Jobs;

/// <summary>What a new job is.</summary>
/// <param name="Type">One of <see cref="JobTypes"/>.</param>
/// <param name="Work">Name of the work.</param>
/// <param name="Payload">Becomes JSON.</param>
internal sealed record NewJob(string Type, string Work, object Payload)
{
    /// <summary>Not before; null for at once.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>The lowest role that may cancel it or run it again.</summary>
    public Role MinimumRole { get; init; } = Role.Member;

    /// <summary>For work that an organization orders once at a time: how often it may do so a day. Null for all other work.</summary>
    public int? MostOfDay { get; init; }

    /// <summary>Scopes that an API key needs for it, besides that of the route where it was asked for.</summary>
    public ImmutableArray<string> Scopes { get; init; } = [];
}

/// <summary>Starts jobs for a caller: the row with its audit row and kept answer in one transaction, then a word to its grain.</summary>
internal static partial class JobStart
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Answers 202 with the job; a repeated Idempotency-Key gives the same one.</summary>
    public static async Task<IResult> Start(OperationRequest request, NewJob job)
    {
        var options = request.Service<JobOptions>();
        var operation = request.Http.GetEndpoint()?.Metadata.GetMetadata<Operation>() ?? throw new InvalidOperationException("A job is asked for by a route.");
        var id = Uuid.New(request.Service<TimeProvider>());
        var (answer, isNew) = await request.InTransaction<(IResult Answer, bool IsNew)>(async session =>
        {
            if (await Idempotency.Claim(session, request) is { } before)
            {
                return (before, false);
            }
            if (job.MostOfDay is { } most && await Refusal(session, request, job.Work, most) is { } refused)
            {
                return (refused, false);
            }
            if (await session.ScalarAsync<long>("SELECT count(*) FROM jobs WHERE organization_id = $1 AND status = 'pending'", request.Cancelled, request.Caller.OrganizationId) >= options.WaitingPerOrganization)
            {
                return (new Problem(ProblemType.TooManyRequests, $"JOBS_WAITING_PER_ORGANIZATION is {options.WaitingPerOrganization}.") { RetryAfter = TimeSpan.FromMinutes(1) }, false);
            }
            await session.ExecuteAsync(
                "INSERT INTO jobs (id, organization_id, user_id, type, work, payload, due_at, minimum_role, needs_person, required_scopes, ip_address, user_agent, api_key_id) VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, now()), $8, $9, $10, $11, $12, $13)",
                request.Cancelled,
                [
                    id, request.Caller.OrganizationId, request.Caller.UserId, job.Type, job.Work,
                    new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Jsonb, Value = JsonSerializer.Serialize(job.Payload, Json) },
                    new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.TimestampTz, Value = (object?)job.DueAt ?? DBNull.Value }, job.MinimumRole.Name(), operation.NeedsPerson,
                    job.Scopes.Concat(operation.Scope is { } scope ? [scope] : []).Distinct().ToArray(),
                    .. ActivityLog.Origin(request.Caller),
                ]);
            var made = await Answer(session, request, id, StatusCodes.Status202Accepted);
            await Idempotency.Keep(session, request, made);
            await request.Service<ActivityLog>().WriteAsync(session, request.Caller, "job.created", "job", id, null, made.Body, [], request.Cancelled);
            await session.CommitAsync(request.Cancelled);
            return (made, true);
        });
        if (isNew)
        {
            await Wake(request, id);
        }
        return answer;
    }

    /// <summary>Why a work that is done once can't be ordered now; null where it can.</summary>
    private static async Task<Problem?> Refusal(TenantSession session, OperationRequest request, string work, int most)
    {
        await session.ExecuteAsync("SELECT pg_advisory_xact_lock(hashtextextended('order ' || $1::text || $2, 0))", request.Cancelled, request.Caller.OrganizationId, work);
        await using var row = await session.QueryAsync(
            "SELECT count(*) FILTER (WHERE status IN ('pending', 'processing')), count(*) FILTER (WHERE created_at > now() - interval '1 day') FROM jobs WHERE organization_id = $1 AND work = $2", request.Cancelled,
            request.Caller.OrganizationId, work);
        await row.ReadAsync(request.Cancelled);
        return row.GetInt64(0) > 0 ? new Problem(ProblemType.Conflict, "It is ordered already.")
            : row.GetInt64(1) >= most ? new Problem(ProblemType.TooManyRequests, $"It can be ordered {most} times a day.") { RetryAfter = TimeSpan.FromHours(1) }
            : null;
    }

    /// <summary>Tells the grain. When it can't be reached, the sweep finds the row.</summary>
    public static async Task Wake(OperationRequest request, Guid id)
    {
        try
        {
            await request.Service<IGrainFactory>().GetGrain<IJobGrain>(id).Run();
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            LogNotWoken(request.Service<ILogger<JobRow>>(), id, failure.GetType().Name);
        }
    }

    /// <summary>The job as it is in this transaction.</summary>
    public static async Task<JsonAnswer> Answer(TenantSession session, OperationRequest request, Guid id, int status)
    {
        await using var row = await session.QueryAsync(ResourceSql.Of(JobResource.Jobs).SelectOne, request.Cancelled, request.Caller.OrganizationId, id);
        await row.ReadAsync(request.Cancelled);
        var job = ResourceRow.Read(JobResource.Jobs, ResourceSql.Of(JobResource.Jobs).Readable, row, ResourceWrites.Context(request));
        return JsonAnswer.OfBytes(job.Json, status, job.Version, $"/v1/jobs/{id}");
    }

    [LoggerMessage(4601, LogLevel.Warning, "Job {JobId} could not be started at once ({Failure}); the sweep starts it")]
    private static partial void LogNotWoken(ILogger logger, Guid jobId, string failure);

    /// <summary>Names the log.</summary>
    internal sealed class JobRow;
}
