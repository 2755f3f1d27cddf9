using System.Text;
using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Tenancy;
using Npgsql;
using NpgsqlTypes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Auth;

/// <summary>Who is signed in.</summary>
internal static class MeEndpoints
{
    private static readonly Shape Membership = new(
        Uuid("organizationId"), Text("name", 200), Text("slug", 100), Choice("role", Roles.Names), Choice("status", "active", "suspended").About("Of the organization."));

    private static readonly Operation MeOperation = new()
    {
        Id = "getMe",
        Tag = "auth",
        Role = Role.Viewer,
        Summary = "Who is signed in, where, and as what",
        Answer = new(
            Uuid("id"), AnyEmail("email"), Text("firstName", 200).Nullable(), Text("lastName", 200).Nullable(), Text("fullName", 400).Nullable(),
            Url("avatarUrl").Nullable(), Language("locale"),
            new Field("organization", new ObjectType(Membership)).About("The organization of this session."),
            List("memberships", new ObjectType(Membership), 1000).About("All organizations of the person; for an API key its own."),
            Flag("isSuperAdmin").About("Looks after the whole installation."),
            Text("enteredReason", 500).Nullable().About("Why you are in this organization as a super admin; null where you are a member.")),
        AnswerName = "Me",
    };

    private static readonly Operation ChangeMeOperation = MeOperation with
    {
        Id = "updateMe",
        NeedsPerson = true,
        Summary = "Change what is said about you",
        Body = new(
            MailedName("firstName").Nullable(), MailedName("lastName").Nullable(), MailedName("fullName", 400).Nullable(), Url("avatarUrl").Nullable(), Language("locale"),
            Uuid("defaultOrganizationId").About("The organization that a sign-in leads to; one of your own.")),
        BodyUse = ShapeUse.Change,
        Example = new() { ["firstName"] = "Ada", ["locale"] = "en" },
    };

    public static void MapMe(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("GET", "/v1/me", MeOperation, Me);
        routes.MapOperation("PATCH", "/v1/me", ChangeMeOperation, ChangeMe);
    }

    private static async Task<IResult> ChangeMe(OperationRequest request)
    {
        var caller = request.Caller;
        if (request.Body.Id("defaultOrganizationId") is { } organization && await request.Service<SignIn>().Membership(caller.UserId, organization, request.Cancelled) is null)
        {
            return Problem.Invalid("/defaultOrganizationId", "/defaultOrganizationId names no organization of yours.");
        }
        await request.InTransaction(async session =>
        {
            var before = await Profile(session, request);
            await session.ExecuteAsync(
                "SELECT change_profile($1)", request.Cancelled, new NpgsqlParameter { Value = request.Body.ToJson().ToJsonString(), NpgsqlDbType = NpgsqlDbType.Jsonb });
            await request.Service<ActivityLog>().WriteAsync(session, caller, "user.updated", "user", caller.UserId, before, await Profile(session, request), [], request.Cancelled);
            await session.CommitAsync(request.Cancelled);
        });
        return await Me(request);
    }

    private static async Task<ReadOnlyMemory<byte>> Profile(TenantSession session, OperationRequest request) => Encoding.UTF8.GetBytes(
        await session.ScalarAsync<string>(
            "SELECT jsonb_build_object('firstName', first_name, 'lastName', last_name, 'fullName', full_name, 'avatarUrl', avatar_url, 'locale', locale, 'defaultOrganizationId', default_organization_id)::text FROM users WHERE id = $1",
            request.Cancelled, request.Caller.UserId) ?? "{}");

    private static Task<IResult> Me(OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        var caller = request.Caller;
        string?[] person;
        await using (var row = await session.QueryAsync(
            "SELECT email, first_name, last_name, full_name, avatar_url, locale FROM users WHERE id = $1", request.Cancelled, caller.UserId))
        {
            if (!await row.ReadAsync(request.Cancelled))
            {
                return new Problem(ProblemType.Unauthenticated);
            }
            person = [.. Enumerable.Range(0, 6).Select(column => row.IsDBNull(column) ? null : row.GetString(column))];
        }
        var memberships = await Memberships(session, request, "SELECT organization_id, name, slug, role, status FROM memberships_of($1)", caller.UserId);
        var here = caller.EnteredReason is null
            ? memberships.Where(membership => membership.Id == caller.OrganizationId)
            : await Memberships(session, request, "SELECT id, name, slug, $2, status FROM organizations WHERE id = $1", caller.OrganizationId, caller.Role.Name());
        return JsonAnswer.Of(json =>
        {
            json.WriteString("id", caller.UserId);
            string[] names = ["email", "firstName", "lastName", "fullName", "avatarUrl", "locale"];
            foreach (var (name, value) in names.Zip(person))
            {
                json.WriteString(name, value);
            }
            foreach (var organization in here)
            {
                json.WritePropertyName("organization");
                Write(json, organization);
            }
            json.WriteStartArray("memberships");
            // A key is one organization's: where else its maker works is none of its business.
            memberships.FindAll(membership => caller.ApiKeyId is null || membership.Id == caller.OrganizationId).ForEach(membership => Write(json, membership));
            json.WriteEndArray();
            json.WriteBoolean("isSuperAdmin", caller.IsSuperAdmin);
            json.WriteString("enteredReason", caller.EnteredReason);
        });
    });

    private static async Task<List<(Guid Id, string Name, string Slug, string Role, string Status)>> Memberships(
        TenantSession session, OperationRequest request, string sql, params object[] values)
    {
        var memberships = new List<(Guid, string, string, string, string)>();
        await using var row = await session.QueryAsync(sql, request.Cancelled, values);
        while (await row.ReadAsync(request.Cancelled))
        {
            memberships.Add((row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4)));
        }
        return memberships;
    }

    private static void Write(System.Text.Json.Utf8JsonWriter json, (Guid Id, string Name, string Slug, string Role, string Status) membership)
    {
        json.WriteStartObject();
        json.WriteString("organizationId", membership.Id);
        json.WriteString("name", membership.Name);
        json.WriteString("slug", membership.Slug);
        json.WriteString("role", membership.Role);
        json.WriteString("status", membership.Status);
        json.WriteEndObject();
    }
}
