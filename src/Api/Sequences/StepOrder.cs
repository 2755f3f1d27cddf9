using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Sequences;

/// <summary>Keeps the steps of a sequence counted from 1 without gaps. Whoever changes the order holds the sequence's row, so that changes come one after the other.</summary>
internal static class StepOrder
{
    /// <summary>Most steps of one sequence.</summary>
    public const int MaxSteps = 100;

    /// <summary>Holds the sequence of a step: $1 organization, $2 step.</summary>
    public const string HoldSequence =
        "SELECT 1 FROM sequences WHERE organization_id = $1 AND id = (SELECT s.sequence_id FROM sequence_steps s WHERE s.organization_id = $1 AND s.id = $2) FOR NO KEY UPDATE";

    public static async Task<Problem?> MakeRoom(ResourceChange change)
    {
        if (change.IsDeletion || !change.IsCreation && !change.Values.Has("stepOrder"))
        {
            return null;
        }
        var sequence = change.Resulting<Guid>("sequenceId");
        var count = await Hold(change, sequence);
        if (change.IsCreation && count >= MaxSteps)
        {
            return new Problem(ProblemType.Conflict, $"A sequence has at most {MaxSteps} steps.") { Errors = [new("/sequenceId", $"A sequence has at most {MaxSteps} steps.")] };
        }
        var last = change.IsCreation ? count + 1 : count;
        var wanted = change.Values.Has("stepOrder") ? change.Values.Get<int>("stepOrder") : last;
        if (wanted > last)
        {
            return Problem.Invalid("/stepOrder", $"/stepOrder must be at most {last}: the steps are counted without gaps.");
        }
        if (change.IsCreation)
        {
            await Shift(change, sequence, wanted, MaxSteps, 1);
        }
        else if (await Current(change) is var current && wanted < current)
        {
            await Shift(change, sequence, wanted, current - 1, 1);
        }
        else if (wanted > current)
        {
            await Shift(change, sequence, current + 1, wanted, -1);
        }
        change.Columns["step_order"] = new NpgsqlParameter { Value = wanted, NpgsqlDbType = NpgsqlDbType.Integer };
        return null;
    }

    public static async Task CloseGap(ResourceChange change)
    {
        if (change.IsDeletion)
        {
            await change.Session.ExecuteAsync(
                """
                UPDATE sequence_steps s SET step_order = n.place, version = s.version + 1
                FROM (SELECT id, row_number() OVER (ORDER BY step_order) AS place FROM sequence_steps WHERE organization_id = $1 AND sequence_id = $2) n
                WHERE s.id = n.id AND s.step_order <> n.place
                """,
                change.Request.Cancelled, change.Caller.OrganizationId, change.Before!.Get<Guid>("sequenceId"));
        }
    }

    /// <summary>Holds the sequence until the transaction ends, and says how many steps it has.</summary>
    private static async Task<int> Hold(ResourceChange change, Guid sequence)
    {
        await change.Session.ExecuteAsync("SELECT 1 FROM sequences WHERE organization_id = $1 AND id = $2 FOR NO KEY UPDATE", change.Request.Cancelled, change.Caller.OrganizationId, sequence);
        return (int)await change.Session.ScalarAsync<long>(
            "SELECT count(*) FROM sequence_steps WHERE organization_id = $1 AND sequence_id = $2", change.Request.Cancelled, change.Caller.OrganizationId, sequence);
    }

    /// <summary>Its place now: another change may have moved it after it was read.</summary>
    private static Task<int> Current(ResourceChange change) =>
        change.Session.ScalarAsync<int>("SELECT step_order FROM sequence_steps WHERE organization_id = $1 AND id = $2", change.Request.Cancelled, change.Caller.OrganizationId, change.Id);

    private static Task Shift(ResourceChange change, Guid sequence, int from, int to, int by) => change.Session.ExecuteAsync(
        "UPDATE sequence_steps SET step_order = step_order + $1, version = version + 1 WHERE organization_id = $2 AND sequence_id = $3 AND step_order BETWEEN $4 AND $5 AND id <> $6",
        change.Request.Cancelled, by, change.Caller.OrganizationId, sequence, from, to, change.Id);
}
