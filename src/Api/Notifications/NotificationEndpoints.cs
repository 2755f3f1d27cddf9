using System.Collections.Immutable;
using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Notifications;

/// <summary>Marking as read, and how one wants to be told.</summary>
internal static class NotificationEndpoints
{
    private const string Tag = "notifications";

    private static readonly Shape Preference = new(
        Choice("type", [.. NotificationResource.Types]).Required().About("`organization_deletion` is always told."), Flag("inApp").Required().About("In the product, live."), Flag("email").Required().About("By e-mail, where the installation sends any."));

    private static readonly Operation ReadOneOperation = new()
    {
        Id = "markNotificationRead",
        Tag = Tag,
        Role = Role.Viewer,
        Summary = "Mark a notification as read",
        Body = new(),
        IsBodyRequired = false,
        Answer = NotificationResource.Notifications.Shape,
        AnswerName = NotificationResource.Notifications.SchemaName,
    };

    private static readonly Operation ReadAllOperation = ReadOneOperation with
    {
        Id = "markAllNotificationsRead",
        Summary = "Mark all your notifications as read",
        Answer = new(Integer("read").About("How many were unread.")),
        AnswerName = "ReadNotifications",
    };

    private static readonly Operation CountOperation = new()
    {
        Id = "countUnreadNotifications",
        Tag = Tag,
        Role = Role.Viewer,
        Summary = "How many of your notifications are unread",
        Answer = new(Integer("unread"), new Field("byType", new JsonType()).About("Only types that have any.")),
        AnswerName = "UnreadNotifications",
    };

    private static readonly Operation ListPreferencesOperation = new()
    {
        Id = "listNotificationPreferences",
        Tag = Tag,
        Role = Role.Viewer,
        Summary = "How you are told of each type",
        Answer = new(List("items", new ObjectType(Preference), 50)),
        AnswerName = "NotificationPreferences",
    };

    private static readonly Operation SetPreferenceOperation = ListPreferencesOperation with
    {
        Id = "setNotificationPreference",
        NeedsMember = true,
        Summary = "Say how you want to be told of a type",
        Body = Preference,
        Example = new() { ["type"] = "mention", ["inApp"] = true, ["email"] = false },
    };

    public static void MapNotifications(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("POST", "/v1/notifications/{id}/read", ReadOneOperation, ReadOne);
        routes.MapOperation("POST", "/v1/notifications/read-all", ReadAllOperation, ReadAll);
        routes.MapOperation("GET", "/v1/notifications/unread-count", CountOperation, Count);
        routes.MapOperation("GET", "/v1/notification-preferences", ListPreferencesOperation, ListPreferences);
        routes.MapOperation("PUT", "/v1/notification-preferences", SetPreferenceOperation, SetPreference);
    }

    private static async Task<IResult> ReadOne(OperationRequest request)
    {
        if (request.PathId() is not { } id)
        {
            return Problem.NotFound();
        }
        await Mark(request, "AND id = $3", id);
        return await ResourceReads.Read(NotificationResource.Notifications, request);
    }

    private static async Task<IResult> ReadAll(OperationRequest request)
    {
        var read = await Mark(request, "");
        return JsonAnswer.Of(json => json.WriteNumber("read", read));
    }

    private static Task<int> Mark(OperationRequest request, string condition, params object[] values) => request.InTransaction(async session =>
    {
        var marked = await session.ExecuteAsync(
            $"UPDATE notifications SET read_at = now(), version = version + 1 WHERE organization_id = $1 AND user_id = $2 AND read_at IS NULL {condition}",
            request.Cancelled, [request.Caller.OrganizationId, request.Caller.UserId, .. values]);
        await session.CommitAsync(request.Cancelled);
        return marked;
    });

    private static async Task<IResult> Count(OperationRequest request)
    {
        var counts = new List<(string Type, long Count)>();
        await using (var rows = await TenantSession.ReadAsync(
            request.Service<ApiDataSource>(), request.Caller.Tenant,
            "SELECT type, count(*) FROM notifications WHERE organization_id = $1 AND user_id = $2 AND read_at IS NULL GROUP BY type ORDER BY type",
            request.Cancelled, request.Caller.OrganizationId, request.Caller.UserId))
        {
            while (await rows.ReadAsync(request.Cancelled))
            {
                counts.Add((rows.GetString(0), rows.GetInt64(1)));
            }
        }
        return JsonAnswer.Of(json =>
        {
            json.WriteNumber("unread", counts.Sum(entry => entry.Count));
            json.WriteStartObject("byType");
            counts.ForEach(entry => json.WriteNumber(entry.Type, entry.Count));
            json.WriteEndObject();
        });
    }

    private static Task<IResult> ListPreferences(OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        return Answer(await Preferences(session, request));
    });

    private static Task<IResult> SetPreference(OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        var (caller, body) = (request.Caller, request.Body);
        var type = body.Text("type")!;
        if (type == NotificationResource.AlwaysTold)
        {
            return Problem.Invalid("/type", "/type: the deletion of the organization is always told.");
        }
        var before = (await Preferences(session, request)).Single(preference => preference.Type == type);
        await session.ExecuteAsync(
            """
            INSERT INTO notification_preferences (organization_id, user_id, type, in_app, email) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (organization_id, user_id, type) DO UPDATE SET in_app = excluded.in_app, email = excluded.email
            """,
            request.Cancelled, caller.OrganizationId, caller.UserId, type, body.Get<bool>("inApp"), body.Get<bool>("email"));
        await request.Service<ActivityLog>().WriteAsync(
            session, caller, "notificationPreference.updated", "user", caller.UserId, ActivityLog.Members(("type", type), ("inApp", before.InApp), ("email", before.Email)),
            ActivityLog.Members(("type", type), ("inApp", body.Get<bool>("inApp")), ("email", body.Get<bool>("email"))), [], request.Cancelled);
        var after = await Preferences(session, request);
        await session.CommitAsync(request.Cancelled);
        return Answer(after);
    });

    private static async Task<ImmutableArray<(string Type, bool InApp, bool Email)>> Preferences(TenantSession session, OperationRequest request)
    {
        var preferences = ImmutableArray.CreateBuilder<(string, bool, bool)>();
        await using var rows = await session.QueryAsync(
            """
            SELECT t.type, coalesce(p.in_app, true), coalesce(p.email, is_emailed_by_default(t.type))
            FROM unnest($3) WITH ORDINALITY AS t (type, place)
            LEFT JOIN notification_preferences p ON p.organization_id = $1 AND p.user_id = $2 AND p.type = t.type ORDER BY t.place
            """,
            request.Cancelled, request.Caller.OrganizationId, request.Caller.UserId, NotificationResource.Types.ToArray());
        while (await rows.ReadAsync(request.Cancelled))
        {
            preferences.Add((rows.GetString(0), rows.GetBoolean(1), rows.GetBoolean(2)));
        }
        return preferences.ToImmutable();
    }

    private static JsonAnswer Answer(ImmutableArray<(string Type, bool InApp, bool Email)> preferences) => JsonAnswer.Of(json =>
    {
        json.WriteStartArray("items");
        foreach (var (type, inApp, email) in preferences)
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteBoolean("inApp", inApp);
            json.WriteBoolean("email", email);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });
}
