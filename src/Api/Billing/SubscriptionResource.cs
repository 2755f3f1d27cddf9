using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using Npgsql;
using NpgsqlTypes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Billing;

/// <summary>What an organization has subscribed to. Its admins choose among the public plans; super admins may change everything, for every organization.</summary>
internal static class SubscriptionResource
{
    public static readonly Resource Subscription = Declare("subscription", "subscription", "subscriptions", "What your organization has subscribed to. Without a subscription nothing is limited.", false);

    /// <summary>The same for a super admin and any organization: mapped by <see cref="BillingEndpoints"/>.</summary>
    public static readonly Resource Any = Declare("organizations/{id}/subscription", "organizationSubscription", "organizationSubscriptions", "What an organization has subscribed to.", true);

    private static Resource Declare(string path, string singular, string plural, string description, bool ofSuperAdmin) => new()
    {
        Path = path,
        Singular = singular,
        Plural = plural,
        Description = description,
        Table = "subscriptions",
        KeyColumn = "organization_id",
        IsTenantItself = true,
        Read = Role.Admin,
        Create = Role.Admin,
        Update = Role.Admin,
        Fields = [.. Fields(ofSuperAdmin)],
        Uniques = [new("subscriptions_pkey", "plan", "There is a subscription already: change it.")],
        Checks =
        [
            new("limit_message_is_there_to_be_sent", "limitMessage", "/limitMessage is needed where limitResponse is message."),
            new("period_is_not_empty", "currentPeriodEnd", "/currentPeriodEnd must be after the period's beginning."),
            new("periods_begin_at_midnight_utc", "currentPeriodEnd", "/currentPeriodEnd must be a midnight in UTC."),
            new("only_past_due_has_grace", "graceEndsAt", "/graceEndsAt is for the status past_due."),
        ],
        BeforeWrite = change => Check(change, ofSuperAdmin),
    };

    private static IEnumerable<Field> Fields(bool ofSuperAdmin)
    {
        Field Own(Field field) => ofSuperAdmin ? field : field.ReadOnly();
        yield return Matching("plan", PlanResource.CodePattern, "a plan's code", "scale", 100).Required().About("Code of a plan.") with { Expression = "(SELECT p.code FROM pricing_plans p WHERE p.id = t.plan_id)" };
        yield return Own(Choice("status", "trialing", "active", "past_due", "canceled", "incomplete", "unpaid", "paused"))
            .About("The AI runs while it is `trialing`, `active`, or `past_due` and in the time of grace.");
        yield return Choice("billingInterval", "monthly", "yearly").WithDefault("monthly").About("From the next period on.");
        yield return Flag("cancelAtPeriodEnd").WithDefault(false);
        yield return Choice("limitResponse", "silent", "message").WithDefault("silent").About("What customers see who write while the AI is stopped.");
        yield return Text("limitMessage", 1000).Nullable().About("Said once to each customer who has to wait, where `limitResponse` is `message`.");
        yield return Own(PlanResource.Quota("tokenQuota")).About("Tokens a month agreed with this organization; null: what the plan says.");
        yield return Long("tokenUsed").ReadOnly().About("Tokens used in the quota's month.") with { Expression = "tokens_used(t.organization_id, t.billing_anchor)" };
        yield return Own(Integer("conversationLimit", 0).Nullable()).About("Conversations a month agreed with this organization; null: what the plan says.");
        yield return Own(Text("stripeSubscriptionId", 200).Nullable()).About("The payment provider's id.");
        yield return Timestamp("currentPeriodStart").ReadOnly();
        yield return Own(Timestamp("currentPeriodEnd")).About("When the next invoice is due to be made. A midnight in UTC.");
        yield return Timestamp("renewsAt").ReadOnly().About("When the token quota begins again.") with { Expression = "(SELECT q.period_end FROM quota_month(t.billing_anchor, now()) q)" };
        yield return Own(Timestamp("graceEndsAt").Nullable()).About("Past due: until when the AI goes on.");
        yield return Number("adjustment", -9_999_999_999.99m, 9_999_999_999.99m, 2).ReadOnly().About("Owed with the next invoice for changes of plan within the period; below zero: credited.");
        yield return Timestamp("canceledAt").Nullable().ReadOnly();
    }

    private static async Task<Problem?> Check(ResourceChange change, bool isSuperAdmin)
    {
        if (!change.IsCreation && !isSuperAdmin && change.Before.Get<string>("status") == "canceled")
        {
            return new Problem(ProblemType.Conflict, "The subscription is canceled; only a super admin can begin it again.");
        }
        if (change.Values.Text("plan") is { } code && await Choose(change, code, isSuperAdmin) is { } unknown)
        {
            return unknown;
        }
        var status = change.Values.Text("status");
        if (!change.IsCreation && status is not null && status != change.Before.Get<string>("status"))
        {
            await Begin(change, change.Before.Get<string>("status")!, status);
        }
        return null;
    }

    private static async Task<Problem?> Choose(ResourceChange change, string code, bool isSuperAdmin)
    {
        await using var plan = await change.Session.QueryAsync(
            "SELECT id, trial_days FROM pricing_plans WHERE code = $1 AND (is_public OR $2)", change.Request.Cancelled, code, isSuperAdmin);
        if (!await plan.ReadAsync(change.Request.Cancelled))
        {
            return Problem.Invalid("/plan", "/plan names no plan that is offered.");
        }
        change.Values.Remove("plan");
        change.Columns["plan_id"] = new NpgsqlParameter { Value = plan.GetGuid(0) };
        if (change.IsCreation && !change.Values.Has("status"))
        {
            change.Columns["status"] = new NpgsqlParameter { Value = plan.GetInt32(1) > 0 ? "trialing" : "active" };
        }
        return null;
    }

    /// <summary>What goes with a status that a super admin sets by hand.</summary>
    private static async Task Begin(ResourceChange change, string before, string status)
    {
        var now = change.Request.Service<TimeProvider>().GetUtcNow();
        void Set(string column, DateTimeOffset? at) => change.Columns.TryAdd(column, new NpgsqlParameter { Value = (object?)at ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        Set("canceled_at", status == "canceled" ? now : null);
        if (status != "past_due")
        {
            change.Values.Remove("graceEndsAt");
            Set("grace_ends_at", null);
        }
        else if (!change.Values.Has("graceEndsAt"))
        {
            var days = await change.Session.ScalarAsync<int>(
                "SELECT p.grace_days FROM subscriptions s JOIN pricing_plans p ON p.id = s.plan_id WHERE s.organization_id = $1", change.Request.Cancelled, change.Id);
            Set("grace_ends_at", now.AddDays(days));
        }
        if (before == "canceled" && status is "active" or "trialing")
        {
            var today = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
            Set("billing_anchor", today);
            Set("current_period_start", today);
            Set("renews_at", today.AddMonths(1));
            if (!change.Values.Has("currentPeriodEnd"))
            {
                Set("current_period_end", change.Resulting<string>("billingInterval") == "yearly" ? today.AddYears(1) : today.AddMonths(1));
            }
            change.Values.Remove("cancelAtPeriodEnd");
            change.Columns["cancel_at_period_end"] = new NpgsqlParameter { Value = false };
        }
    }
}
