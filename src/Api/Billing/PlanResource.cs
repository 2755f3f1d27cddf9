using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Billing;

/// <summary>What organizations can subscribe to: one list for the installation, read by all and written by super admins.</summary>
internal static class PlanResource
{
    public const string CodePattern = "^[a-z0-9]+(-[a-z0-9]+)*$";

    public static readonly Resource Plans = new()
    {
        Path = "pricing-plans",
        Singular = "pricingPlan",
        Plural = "pricingPlans",
        Table = "pricing_plans",
        IsGlobal = true,
        Description = "What organizations can subscribe to. Super admins write it.",
        Create = Role.Viewer,
        Update = Role.Viewer,
        Delete = Role.Viewer,
        DefaultSort = "priceMonthly",
        Fields =
        [
            Matching("code", CodePattern, "lower-case letters, digits and single dashes", "scale", 100).Required().Fixed().Filtered().About("By what subscriptions name it."),
            Choice("tier", "starter", "scale", "enterprise").Required().Filtered(),
            Name("name").Required().Sorted().Searched(),
            Text("description", 2000).Nullable(),
            Text("stripePriceId", 200).Nullable().About("The payment provider's id."),
            Currency("currency").WithDefault("USD"),
            Money("priceMonthly").WithDefault(0).Sorted(),
            Money("priceYearly").WithDefault(0),
            Quota("tokenQuota").About("Model tokens a month; null for no limit."),
            Integer("conversationLimit", 0).Nullable().About("Conversations that the AI answers in a calendar month; null for no limit."),
            Json("features").WithDefault(new JsonObject()).About("What else the plan has. `maxAgents`, `maxChannels` and `maxMembers` are held."),
            Flag("isPublic").WithDefault(true).Filtered().About("Organizations may choose it themselves."),
            Flag("isDefault").WithDefault(false).About("New organizations begin with it; taken from the default before."),
            Integer("warnPercent", 1, 100).WithDefault(80).About("Percent of a limit at which admins are warned."),
            Integer("stopPercent", 100, 1000).WithDefault(100).About("Percent of a limit at which the AI stops."),
            Integer("trialDays", 0, 365).WithDefault(14).About("Days before the first invoice."),
            Integer("paymentDays", 0, 90).WithDefault(14).About("Days to pay an invoice in; then the subscription is past due."),
            Integer("graceDays", 0, 90).WithDefault(7).About("Days that the AI goes on while the subscription is past due."),
        ],
        Uniques =
        [
            new("plan_code_is_unique", "code", "There is a plan with this code already."),
            new("one_plan_per_stripe_price", "stripePriceId", "Another plan has this price of the payment provider."),
            new("pricing_plans_one_default", "isDefault", "Another plan became the default at the same moment."),
        ],
        Checks = [new("plan_features_that_count_are_numbers", "features", "/features: maxAgents, maxChannels and maxMembers must be numbers.")],
        BeforeWrite = async change =>
        {
            if (change.Values.Get<bool>("isDefault"))
            {
                await change.Session.ExecuteAsync(
                    "UPDATE pricing_plans SET is_default = false, version = version + 1 WHERE is_default AND id <> $1", change.Request.Cancelled, change.Id);
            }
            return null;
        },
    };

    /// <summary>A number of tokens, or null for no limit.</summary>
    public static Field Quota(string name) => new Field(name, new IntegerType(0, long.MaxValue, IsLong: true)).Nullable();
}
