using System.Text.Json.Nodes;

namespace AgentPlatform.Silo.Demo;

/// <summary>Three plans, the demo organization's subscription with its invoices, and a quarter of usage.</summary>
internal sealed partial class DemoRows
{
    private const int DaysOfUsage = 90;

    public void AddBilling(DateTimeOffset now)
    {
        AddPlan("starter", "Starter", "For a first channel.", 19, 190, 200_000, 150, new JsonObject { ["maxAgents"] = 1, ["maxChannels"] = 2, ["maxMembers"] = 3 });
        AddPlan("scale", "Scale", "For a team with several channels.", 99, 990, 2_000_000, 1500, new JsonObject { ["maxAgents"] = 10, ["maxChannels"] = 10, ["maxMembers"] = 25 });
        AddPlan("enterprise", "Enterprise", "Without limits.", 490, 4900, null, null, new JsonObject { ["support"] = "priority" });
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        var month = new DateTimeOffset(today.Year, today.Month, 1, 0, 0, 0, TimeSpan.Zero);
        Add("""
            insert into subscriptions (organization_id, plan_id, status, billing_anchor, current_period_start, current_period_end, renews_at, limit_response, limit_message)
            values ($1, $2, 'active', $3, $4, $5, $5, 'message', 'Thank you for your message. A colleague will answer you here, every day from 9:00 to 19:00 Bishkek time.')
            """, DemoIds.Organization, DemoIds.Of("plan/scale"), month.AddMonths(-2), month, month.AddMonths(1));
        for (var back = 2; back >= 0; back--)
        {
            var from = month.AddMonths(-back);
            Add("""
                insert into billing_invoices (organization_id, plan_id, description, amount, status, period_start, period_end, due_at, paid_at, created_at)
                values ($1, $2, 'Scale, monthly', 99, 'paid', $3, $4, $5, $6, $3)
                on conflict (organization_id, period_start) do update set status = 'paid', paid_at = excluded.paid_at, created_at = excluded.created_at
                """, DemoIds.Organization, DemoIds.Of("plan/scale"), from, from.AddMonths(1), from.AddDays(14), Earlier(from.AddDays(2), now));
        }
        for (var back = DaysOfUsage; back >= 1; back--)
        {
            AddUsage(today.AddDays(-back));
        }
    }

    private void AddPlan(string code, string name, string description, int monthly, int yearly, long? tokens, int? conversations, JsonObject features) => Add("""
        insert into pricing_plans (id, code, tier, name, description, price_monthly, price_yearly, token_quota, conversation_limit, features)
        values ($1, $2, $2, $3, $4, $5, $6, $7::bigint, $8::integer, $9) on conflict do nothing
        """, DemoIds.Of("plan/" + code), code, name, description, (decimal)monthly, (decimal)yearly,
        new Npgsql.NpgsqlParameter { Value = (object?)tokens ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint },
        new Npgsql.NpgsqlParameter { Value = (object?)conversations ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Integer }, Json(features));

    /// <summary>More at weekends, when people plan their journeys; the same for the same day.</summary>
    private void AddUsage(DateOnly day)
    {
        var mood = day.DayNumber * 7 % 11;
        var turns = 18 + mood + (day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 14 : 0);
        Add("""
            insert into usage_daily (organization_id, usage_date, conversations, messages, agent_responses, tokens_consumed, interactions, errors) values ($1, $2, $3, $4, $5, $6, $7, $8)
            """, DemoIds.Organization, day, turns / 4, turns * 2 + mood, turns - mood / 6, (long)turns * (880 + mood * 31), turns, mood == 7 ? 1 : 0);
    }

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
}
