using System.Collections.Immutable;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Analytics;

/// <summary>The five lists of numbers.</summary>
internal static class AnalyticsReports
{
    public static readonly ImmutableArray<AnalyticsReport> All =
    [
        new("deals", "Deal", "Deals by the month in which they began, their stage and owner", "analytics_deal_metrics", Timestamp("periodMonth"), ["stage", "owner_id"],
        [
            Text("stage", 50),
            Uuid("ownerId").Nullable(),
            Long("dealCount"),
            Sum("totalValue"),
            Sum("avgDealSize"),
            Sum("wonValue"),
            Sum("lostValue"),
            Sum("avgProbability"),
            Sum("avgDealCycleDays").Nullable().About("From the day on which they began to the day on which they were won or lost."),
        ]),
        new("clients", "Client", "Clients by the month in which they came, where they stand and where they come from", "analytics_client_metrics", Timestamp("periodMonth"),
            ["lifecycle_stage", "client_type", "source", "assigned_to"],
        [
            Text("lifecycleStage", 50),
            Text("clientType", 50),
            Text("source", 200).Nullable(),
            Uuid("assignedTo").Nullable(),
            Long("clientCount"),
            Sum("totalRevenue"),
            Sum("avgRevenuePerClient"),
            Sum("avgOrdersPerClient"),
            Sum("avgOrderValue").Nullable(),
            Sum("avgLeadScore"),
        ]),
        new("revenue", "Revenue", "Revenue by day", "analytics_revenue_metrics", Timestamp("periodDay"), [],
        [
            Timestamp("periodWeek"),
            Timestamp("periodMonth"),
            Timestamp("periodYear"),
            Sum("totalRevenue").About("Of orders that were neither cancelled nor refunded, like all the rest."),
            Long("uniqueCustomers"),
            Long("orderCount"),
            Sum("avgOrderValue"),
            Sum("deliveredRevenue"),
            Sum("lostRevenue").About("Of orders that were cancelled or refunded."),
        ]),
        new("chatbot", "Chatbot", "How well the agents do, by day", "analytics_chatbot_effectiveness", Timestamp("periodDay"), [],
        [
            Long("uniqueClientsEngaged"),
            Long("totalChatbotInteractions").About("Rounds of the agents, and interactions that were logged by hand."),
            Long("successfulInteractions").About("Those that ended in an answer."),
            Sum("avgInteractionDurationMinutes").Nullable(),
        ]),
        new("channels", "Channel", "Messages of each channel by month", "analytics_channel_performance", Timestamp("periodMonth"), ["channel_id"],
        [
            Uuid("channelId"),
            Text("channelName", 200),
            Text("platform", 50),
            Long("totalContacts"),
            Long("totalMessages"),
            Long("incomingMessages"),
            Long("agentResponses"),
            Long("aiResponses"),
        ]),
    ];

    /// <summary>An amount or an average, of any size.</summary>
    internal static Field Sum(string name) => new(name, new NumberType(decimal.MinValue, decimal.MaxValue, Currencies.MostPlaces) { LeastPlaces = 2 });
}
