using AgentPlatform.Api.Agents;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using Npgsql;
using NpgsqlTypes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Experiments;

/// <summary>Tests of prompts.</summary>
internal static class ExperimentResource
{
    public static readonly Resource Experiments = new()
    {
        Path = "experiments",
        Singular = "experiment",
        Plural = "experiments",
        Table = "experiments",
        Description = "Tests of prompts. One begins as a draft, gets its variants, runs (`active`), may pause, and ends `completed` or `cancelled`. It runs with two or more active variants of its type whose weights sum up to 100; of each type of agent one at a time.",
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Manager,
        Fields =
        [
            Choice("agentType", AgentResource.Types).Required().Fixed().Filtered(),
            Name("name").Required().Sorted().Searched(),
            Text("description", 4000).Nullable(),
            Choice("status", "draft", "active", "paused", "completed", "cancelled").WithDefault("draft").Filtered(),
            Timestamp("startDate").Nullable().Ranged().About("Set when it begins unless given."),
            Timestamp("endDate").Nullable().Ranged().About("When it is to end; set when it ends."),
            Integer("variantCount").ReadOnly() with { Expression = "(SELECT count(*)::int FROM experiment_variants v WHERE v.organization_id = t.organization_id AND v.experiment_id = t.id)" },
        ],
        Example = new() { ["agentType"] = "sales", ["name"] = "Short or long offers" },
        Uniques = [new("experiments_one_active_per_agent_type", "status", "Another experiment runs for this type of agent.")],
        Checks =
        [
            new("experiment_goes_through_its_states_in_order", "status", "/status goes from draft to active, to and fro between active and paused, and ends completed or cancelled.", IsAboutState: true),
            new("active_experiment_has_variants_that_sum_up", "status", "/status can be active once there are two or more active variants of its type whose weights sum up to 100.", IsAboutState: true),
            new("experiment_ends_after_it_starts", "endDate", "/endDate must not be before startDate."),
            new("begun_experiment_has_a_start", "startDate", "/startDate can't be taken from an experiment that has begun."),
        ],
        BeforeWrite = change => Task.FromResult(SetDates(change)),
    };

    private static Problem? SetDates(ResourceChange change)
    {
        if (change.Values.Text("status") is not { } status || status == change.Before?.Get<string>("status"))
        {
            return null;
        }
        var now = change.Request.Service<TimeProvider>().GetUtcNow();
        var hasStart = change.Values.Has("startDate") ? change.Values.Get<object>("startDate") is not null : change.Before?.Raw("startDate") is not null;
        if (!hasStart && status is not ("draft" or "cancelled"))
        {
            change.Columns["start_date"] = At(now);
        }
        if (status is "completed" or "cancelled" && !change.Values.Has("endDate") && (!hasStart || change.Before?.Get<DateTime>("startDate") <= now.UtcDateTime))
        {
            change.Columns["end_date"] = At(now);
        }
        return null;
    }

    private static NpgsqlParameter At(DateTimeOffset moment) => new() { Value = moment, NpgsqlDbType = NpgsqlDbType.TimestampTz };
}
