using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Organizations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Jobs;

namespace AgentPlatform.Api.Jobs;

/// <summary>Cancel and retry.</summary>
internal static class JobEndpoints
{
    public static void MapJobCommands(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("POST", "/v1/jobs/{id}/cancel", Command(
            "cancelJob", "Cancel a job", "What its finished chunks did stays. A job that waits ends at once, one that runs within a moment."), Cancel);
        routes.MapOperation("POST", "/v1/jobs/{id}/retry", Command(
            "retryJob", "Run a failed or cancelled job again", "It goes on from its last committed position: nothing is done twice."), Retry);
    }

    private static Operation Command(string id, string summary, string description) => new()
    {
        Id = id,
        Tag = "jobs",
        Role = Role.Member,
        Summary = summary,
        Description = description + " Members do it to their own jobs, managers to all.",
        AnswersEntityTag = true,
        Answer = JobResource.Jobs.Shape,
        AnswerName = JobResource.Jobs.SchemaName,
        Problems = [ProblemType.Conflict],
    };

    private static async Task<IResult> Cancel(OperationRequest request)
    {
        var (answer, problem) = await Change(
            request, "job.cancelled",
            """
            UPDATE jobs SET cancel_requested_at = now(), status = CASE WHEN status = 'pending' THEN 'cancelled' ELSE status END,
                cancelled_at = CASE WHEN status = 'pending' THEN now() END, version = version + 1, changed_in = pg_current_xact_id()
            WHERE organization_id = $1 AND id = $2 AND status IN ('pending', 'processing')
            """,
            "The job has ended.", isRepetition: false);
        if (problem is null)
        {
            await request.Service<IGrainFactory>().GetGrain<IJobGrain>(request.PathId()!.Value).Cancel();
        }
        return problem ?? answer!;
    }

    private static async Task<IResult> Retry(OperationRequest request)
    {
        var (answer, problem) = await Change(
            request, "job.retried",
            """
            UPDATE jobs SET status = 'pending', lost_leases = 0, cancel_requested_at = NULL, error = NULL, result = NULL, failed_at = NULL, cancelled_at = NULL, duration = NULL, started_at = NULL,
                due_at = now(), version = version + 1, changed_in = pg_current_xact_id()
            WHERE organization_id = $1 AND id = $2 AND status IN ('failed', 'cancelled')
            """,
            "Only a failed or cancelled job can be run again.", isRepetition: true);
        if (problem is null)
        {
            await JobStart.Wake(request, request.PathId()!.Value);
        }
        return problem ?? answer!;
    }

    private static Task<(IResult? Answer, Problem? Problem)> Change(OperationRequest request, string action, string sql, string refusal, bool isRepetition) => request.InTransaction<(IResult? Answer, Problem? Problem)>(async session =>
    {
        if (request.PathId() is not { } id)
        {
            return (null, Problem.NotFound());
        }
        await using (var row = await session.QueryAsync("SELECT user_id, minimum_role, needs_person, required_scopes, work FROM jobs WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE", request.Cancelled, request.Caller.OrganizationId, id))
        {
            if (!await row.ReadAsync(request.Cancelled))
            {
                return (null, Problem.NotFound());
            }
            if (Roles.Parse(row.GetString(1)) is not { } needed || request.Caller.Role < needed)
            {
                return (null, new Problem(ProblemType.Forbidden, $"This job needs the role {row.GetString(1)}; yours is {request.Caller.Role.Name()}."));
            }
            if (request.Caller.Role < Role.Manager && (await row.IsDBNullAsync(0, request.Cancelled) || row.GetGuid(0) != request.Caller.UserId))
            {
                return (null, new Problem(ProblemType.Forbidden, "It is someone else's job: this needs the role manager."));
            }
            if (request.Caller.Scopes is not null && row.GetBoolean(2))
            {
                return (null, new Problem(ProblemType.Forbidden, "A person must do this; an API key can't."));
            }
            if (row.GetFieldValue<string[]>(3).FirstOrDefault(scope => !ApiKeyScopes.Allow(request.Caller, scope)) is { } missing)
            {
                return (null, new Problem(ProblemType.Forbidden, $"The API key needs the scope {missing}."));
            }
            if (isRepetition && row.GetString(4) == LeavingEndpoints.DeletionWork)
            {
                return (null, new Problem(ProblemType.Conflict, "The deletion of an organization can't be retried. Order it again at POST /v1/organization/deletion: it waits its days of grace, and the other owners are told."));
            }
        }
        var before = await JobStart.Answer(session, request, id, StatusCodes.Status200OK);
        if (await session.ExecuteAsync(sql, request.Cancelled, request.Caller.OrganizationId, id) == 0)
        {
            return (null, new Problem(ProblemType.Conflict, refusal));
        }
        var after = await JobStart.Answer(session, request, id, StatusCodes.Status200OK);
        await request.Service<ActivityLog>().WriteAsync(session, request.Caller, action, "job", id, before.Body, after.Body, [], request.Cancelled);
        await session.CommitAsync(request.Cancelled);
        return (after, null);
    });
}
