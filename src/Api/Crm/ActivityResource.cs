using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>What people did and are to do: calls, meetings, tasks.</summary>
internal static class ActivityResource
{
    public static readonly Resource Activities = new()
    {
        Path = "activities",
        Singular = "activity",
        Plural = "activities",
        Table = "activities",
        Description = "What people did and are to do for a client or a deal: calls, e-mails, meetings, tasks. A task has a due date and somebody who does it; one that was done or given up is reopened before it ends otherwise.",
        Import = new() { Kept = ["createdAt", "completedAt"] },
        Create = Role.Member,
        Update = Role.Member,
        AllowsBulkUpdate = true,
        Delete = Role.Manager,
        Fields =
        [
            Choice("activityType", "call", "email", "meeting", "task", "note", "chatbot_interaction", "website_visit").Required().Filtered(),
            Name("subject", 500).Required().Searched(),
            Text("description", 10_000).Nullable().Searched(),
            Reference("clientId", "clients").Nullable().Filtered().About("The deal's client, where a deal is given and this is not."),
            Reference("dealId", "deals").Nullable().Filtered().About("A deal of the same client."),
            Reference("messageId", "messages").Nullable().Fixed().Filtered(),
            Choice("status", "pending", "completed", "cancelled").WithDefault("pending").Filtered(),
            Choice("priority", "low", "medium", "high", "urgent").Nullable().Filtered(),
            Timestamp("dueDate").Nullable().Ranged().Sorted(),
            Timestamp("completedAt").Nullable().ReadOnly().Ranged(),
            Reference("assignedTo", "users").Nullable().Filtered(),
            Reference("createdBy", "users").Nullable().ReadOnly().Filtered(),
            Choice("callDirection", "inbound", "outbound").Nullable().About("Of a call."),
            Choice("callOutcome", "answered", "no_answer", "busy", "voicemail", "failed").Nullable().Filtered().About("Of a call."),
            Integer("callDurationSeconds", 0, 86_400).Nullable().About("Of a call."),
            Text("phone", 50).Nullable().About("Of a call: the other side."),
            Json("metadata"),
        ],
        Example = new() { ["activityType"] = "task", ["subject"] = "Send the offer", ["priority"] = "high", ["dueDate"] = "2026-05-20T09:30:00Z" },
        Filters =
        [
            new(new QueryParameter("overdue", new BooleanType(), "Only what is pending and past its due date, or only the rest."),
                "(t.status = 'pending' AND t.due_date IS NOT NULL AND t.due_date < now()) = {0}"),
        ],
        Checks =
        [
            new("finished_activity_is_reopened_first", "status", IsAboutState: true),
            new("deal_belongs_to_the_client", "dealId", "/dealId must name a deal of the client."),
            new("assignee_is_a_member", "assignedTo", "/assignedTo names nothing in this organization."),
            new("only_calls_have_call_details", "activityType", "/activityType must be call for what is said of a call."),
        ],
        Actions =
        [
            new("complete", "Mark the activity as done", Complete)
            {
                Past = "completed",
                Body = new(Text("description", 10_000).Nullable().About("What came of it."), Choice("callOutcome", "answered", "no_answer", "busy", "voicemail", "failed"), Integer("callDurationSeconds", 0, 86_400)),
            },
            new("cancel", "Give the activity up", change => change.Set("status", "cancelled")) { Past = "cancelled" },
            new("reopen", "Open the activity again", change => change.Set("status", "pending")) { Past = "reopened" },
            new("assign", "Say who is to do it, or nobody", change => change.Take("assignedTo", "dueDate"))
            {
                Past = "assigned",
                Body = new(Reference("assignedTo", "users").Nullable().Required(), Timestamp("dueDate").Nullable()),
            },
        ],
    };

    private static Task<Problem?> Complete(ResourceChange change)
    {
        change.Set("status", "completed");
        change.Take("description", "callOutcome", "callDurationSeconds");
        return Task.FromResult<Problem?>(null);
    }
}
