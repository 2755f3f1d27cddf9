using System.Globalization;
using System.Text;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;

namespace AgentPlatform.Api.Documentation;

/// <summary>docs/roles.md: every route and the roles that may call it, from the routes themselves.</summary>
internal static class RolesDocument
{
    public static string Write(IEnumerable<RouteEndpoint> routes)
    {
        var rows =
            from route in routes
            let operation = route.Metadata.GetMetadata<Operation>()
            where operation is not null
            let method = route.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0]
            orderby route.RoutePattern.RawText, method
            select (Method: method, Path: route.RoutePattern.RawText!, Operation: operation);
        var text = new StringBuilder();
        text.Append(
            """
            # Who may do what

            A person has one role in each organization: `viewer` < `member` < `manager` < `admin` < `owner`. A higher role may do all that a lower one may. Routes
            marked "–" need no sign-in. The organization follows from the access token; what belongs to another one does not exist (404).

            An API key acts for the member who made it: it may do what its own role, that member's present role and its scopes all allow. The scope of a route is in
            the third column; `read` and `write` alone stand for those of all features. Routes without a scope are for people who are signed in. Routes
            marked "super admin" are for those who look after the whole installation.

            This table is produced from the code; a test holds it. To change it, change the operation's role and run the tests once with `UPDATE_DOCS=1`.

            """);
        text.Append(CultureInfo.InvariantCulture, $"\n| route | what | scope | {string.Join(" | ", Roles.Names)} |\n|---|---|---|{string.Concat(Roles.Names.Select(_ => ":-:|"))}\n");
        foreach (var (method, path, operation) in rows)
        {
            var cells = Enum.GetValues<Role>().Select(role => operation.Role is not { } needed ? "–" : operation.NeedsSuperAdmin ? "super admin" : role >= needed ? "✓" : " ");
            text.Append(CultureInfo.InvariantCulture, $"| `{method} {path}` | {operation.Summary} | {(operation.Scope is null ? "" : $"`{operation.Scope}`")} | {string.Join(" | ", cells)} |\n");
        }
        return text.ToString();
    }
}
