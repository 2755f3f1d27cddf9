using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Auth;

/// <summary>Who is signed in.</summary>
internal static class MeEndpoints
{
    private static readonly Shape Membership = new(Uuid("organizationId"), Text("name", 200), Text("slug", 100), Choice("role", Roles.Names));

    private static readonly Operation MeOperation = new()
    {
        Id = "getMe",
        Tag = "auth",
        Role = Role.Viewer,
        Summary = "Who is signed in, where, and as what",
        Answer = new(
            Uuid("id"), Email("email"), Text("firstName", 200).Nullable(), Text("lastName", 200).Nullable(), Text("fullName", 400).Nullable(),
            Url("avatarUrl").Nullable(), Language("locale"),
            new Field("organization", new ObjectType(Membership)).About("The organization of this session."),
            List("memberships", new ObjectType(Membership), 1000).About("All organizations of the person.")),
        AnswerName = "Me",
    };

    public static void MapMe(IEndpointRouteBuilder routes) => routes.MapOperation("GET", "/v1/me", MeOperation, Me);

    private static async Task<IResult> Me(OperationRequest request)
    {
        var caller = request.Caller;
        await using var session = await TenantSession.OpenAsync(request.Service<ApiDataSource>(), caller.Tenant, request.Cancelled);
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
        var memberships = new List<(Guid Id, string Name, string Slug, string Role)>();
        await using (var row = await session.QueryAsync("SELECT organization_id, name, slug, role FROM memberships_of($1)", request.Cancelled, caller.UserId))
        {
            while (await row.ReadAsync(request.Cancelled))
            {
                memberships.Add((row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetString(3)));
            }
        }
        return JsonAnswer.Of(json =>
        {
            json.WriteString("id", caller.UserId);
            string[] names = ["email", "firstName", "lastName", "fullName", "avatarUrl", "locale"];
            foreach (var (name, value) in names.Zip(person))
            {
                json.WriteString(name, value);
            }
            foreach (var here in memberships.Where(membership => membership.Id == caller.OrganizationId))
            {
                json.WritePropertyName("organization");
                Write(json, here);
            }
            json.WriteStartArray("memberships");
            memberships.ForEach(membership => Write(json, membership));
            json.WriteEndArray();
        });
    }

    private static void Write(System.Text.Json.Utf8JsonWriter json, (Guid Id, string Name, string Slug, string Role) membership)
    {
        json.WriteStartObject();
        json.WriteString("organizationId", membership.Id);
        json.WriteString("name", membership.Name);
        json.WriteString("slug", membership.Slug);
        json.WriteString("role", membership.Role);
        json.WriteEndObject();
    }
}
