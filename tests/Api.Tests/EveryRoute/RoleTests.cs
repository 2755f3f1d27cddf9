using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Documentation;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Fakes;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.EveryRoute;

public sealed class RoleTests(EngineApp app) : IClassFixture<EngineApp>
{
    [Fact]
    public async Task Each_route_takes_the_roles_of_the_table_and_refuses_those_below()
    {
        var populated = await PopulatedOrganization.Create(app);
        var members = new Dictionary<Role, HttpClient>();
        foreach (var role in Enum.GetValues<Role>())
        {
            members[role] = await populated.Organization.Member(role);
        }
        var needed = Operations().Where(operation => operation is { Role: not null, NeedsSuperAdmin: false }).ToDictionary(operation => operation.Id, operation => operation.Role!.Value);
        foreach (var operation in (await ApiDescription.Read(app)).Operations.Where(operation => needed.ContainsKey(operation.Id) && operation.Id != "logout"))
        {
            foreach (var (role, client) in members)
            {
                // A body that no route takes: whoever may call gets to that check, whoever may not doesn't.
                using var request = new HttpRequestMessage(new HttpMethod(operation.Method), $"{PopulatedOrganization.Path(operation, Guid.NewGuid())}?nobodyKnowsThis=1");
                using var answer = await client.SendAsync(request);
                Assert.True(
                    (int)answer.StatusCode == 403 == role < needed[operation.Id],
                    $"{operation} needs {needed[operation.Id]} and answered {(int)answer.StatusCode} to {role}.");
            }
        }
    }

    [Fact]
    public async Task What_is_for_super_admins_is_refused_to_every_member()
    {
        var organization = await app.NewOrganization();
        var mine = Operations().Where(operation => operation.NeedsSuperAdmin).Select(operation => operation.Id).ToHashSet();
        foreach (var operation in (await ApiDescription.Read(app)).Operations.Where(operation => mine.Contains(operation.Id)))
        {
            using var request = new HttpRequestMessage(new HttpMethod(operation.Method), PopulatedOrganization.Path(operation, Guid.NewGuid()));
            using var answer = await organization.Owner.SendAsync(request);
            Assert.True((int)answer.StatusCode == 403, $"{operation} answered {(int)answer.StatusCode} to an owner.");
        }
    }

    [Fact]
    public async Task Each_route_takes_the_api_keys_with_its_scope_and_no_others()
    {
        var organization = await app.NewOrganization();
        var operations = Operations().Where(operation => operation.Role is not null).ToDictionary(operation => operation.Id);
        var keys = new Dictionary<string, HttpClient>(StringComparer.Ordinal);
        foreach (var scope in operations.Values.Select(operation => operation.Scope).OfType<string>().Distinct().Append("read").Append("write"))
        {
            keys[scope] = app.Client((await organization.Create("api-keys", new { name = scope, role = "owner", scopes = new[] { scope } })).Text("key"));
        }
        foreach (var operation in (await ApiDescription.Read(app)).Operations.Where(operation => operations.ContainsKey(operation.Id)))
        {
            var declared = operations[operation.Id];
            string[] tried = declared.Scope is { } own ? [own, own.EndsWith(":read", StringComparison.Ordinal) ? own.Replace(":read", ":write", StringComparison.Ordinal) : own.Replace(":write", ":read", StringComparison.Ordinal), "read", "write", "clients:read"] : ["read", "write", "clients:read"];
            foreach (var scope in tried.Where(keys.ContainsKey).Distinct())
            {
                using var request = new HttpRequestMessage(new HttpMethod(operation.Method), $"{PopulatedOrganization.Path(operation, Guid.NewGuid())}?nobodyKnowsThis=1");
                using var answer = await keys[scope].SendAsync(request);
                var isAllowed = declared.Scope is { } needed && ApiKeyScopes.Allow([scope], needed);
                Assert.True((int)answer.StatusCode == 403 != isAllowed, $"{operation} has the scope {declared.Scope ?? "none"} and answered {(int)answer.StatusCode} to a key with {scope}.");
            }
        }
    }

    [Fact]
    public Task The_role_table_in_the_documentation_is_the_one_of_the_code() => IsUpToDate("roles.md", RolesDocument.Write(Routes()));

    [Fact]
    public Task The_list_of_problems_in_the_documentation_is_the_one_of_the_code() => IsUpToDate("errors.md", ErrorsDocument.Write());

    [Fact]
    public Task What_files_may_hold_by_the_documentation_is_what_the_code_takes() => IsUpToDate("imports.md", ImportsDocument.Write());

    private IEnumerable<RouteEndpoint> Routes() => app.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>();

    private IEnumerable<Operation> Operations() => Routes().Select(route => route.Metadata.GetMetadata<Operation>()).OfType<Operation>();

    private static async Task IsUpToDate(string file, string expected) => Assert.Null(await MadeFile.Difference($"docs/{file}", expected));
}
