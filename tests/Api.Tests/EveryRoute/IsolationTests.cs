using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>A member of one organization tries the ids of another on every route of the document: in the path, in the query, in the body. The
/// answer must be the one that an id gets which nobody has.</summary>
public sealed class IsolationTests(EngineApp app, ITestOutputHelper output) : IClassFixture<EngineApp>
{
    [Fact]
    public async Task An_id_of_another_organization_is_the_same_as_one_that_does_not_exist()
    {
        var (victim, stranger, document) = await Arrange();
        var before = await TenantRows.Fingerprint(app, victim.Organization.Id);
        var tried = 0;
        foreach (var operation in document.Operations.Where(operation => operation.Path.Contains("{id}", StringComparison.Ordinal) && operation.NeedsSignIn))
        {
            var path = operation.Path.Replace("{invoiceId}", victim.Ids["billing-invoices"].ToString(), StringComparison.Ordinal);
            foreach (var query in operation.Parameters("query").Contains("dryRun") ? ["", "?dryRun=true"] : new[] { "" })
            {
                foreach (var version in operation.Parameters("header").Contains("If-Match") ? ["*", "\"1\"", "\"999\""] : new[] { "*" })
                {
                    Task<(int Status, string Body)> Try(Guid id) => stranger.Send(operation, path.Replace("{id}", id.ToString(), StringComparison.Ordinal) + query, stranger.Body(operation), version);
                    var foreign = await Try(victim.Ids.GetValueOrDefault(operation.Path.Split('/')[2]));
                    Assert.True(foreign.Status is 404 or 403, $"{operation}{query} answered {foreign.Status} {foreign.Body} to an id of another organization.");
                    Assert.Equal(await Try(Guid.NewGuid()), foreign);
                }
            }
            tried++;
        }
        output.WriteLine($"{tried} routes");
        Assert.True(tried > 200, $"Only {tried} routes were tried.");
        Assert.Equal(before, await TenantRows.Fingerprint(app, victim.Organization.Id));
    }

    [Fact]
    public async Task A_body_can_not_name_things_of_another_organization()
    {
        var (victim, stranger, document) = await Arrange();
        var before = await TenantRows.Fingerprint(app, victim.Organization.Id);
        var tried = 0;
        foreach (var reference in document.Operations.Where(operation => operation.NeedsSignIn && !PopulatedOrganization.IsOfInstallation(operation)).SelectMany(BodyReference.Of))
        {
            Task<(int Status, string Body)> Try(Guid id) => stranger.Send(reference.Operation, stranger.Path(reference.Operation), reference.Body(stranger, id));
            var foreign = await Try(victim.Ids[reference.Names]);
            Assert.True(foreign.Status is 400 or 404, $"{reference} answered {foreign.Status} {foreign.Body} to one of another organization.");
            Assert.Contains(reference.Property, foreign.Body, StringComparison.Ordinal);
            Assert.Equal(await Try(Guid.NewGuid()), foreign);
            tried++;
        }
        output.WriteLine($"{tried} places");
        Assert.True(tried > 140, $"Only {tried} places of bodies were tried.");
        Assert.Equal(before, await TenantRows.Fingerprint(app, victim.Organization.Id));
    }

    [Fact]
    public async Task A_query_can_not_find_things_of_another_organization()
    {
        var (victim, stranger, document) = await Arrange();
        var tried = 0;
        var secrets = victim.Ids.Values.Select(id => id.ToString()).Append(victim.Organization.Id.ToString()).ToArray();
        foreach (var operation in document.Operations.Where(operation => operation.Method == "GET" && operation.NeedsSignIn && operation.Path != "/v1/events" && !PopulatedOrganization.IsOfInstallation(operation)))
        {
            var path = stranger.Path(operation);
            var mine = await stranger.Send(operation, path, null);
            Assert.Equal(200, mine.Status);
            Assert.DoesNotContain(secrets, secret => mine.Body.Contains(secret, StringComparison.Ordinal));

            foreach (var parameter in operation.Json["parameters"]?.AsArray().Where(IsId) ?? [])
            {
                var name = parameter!["name"]!.GetValue<string>();
                var none = await stranger.Send(operation, $"{path}?{name}={Guid.NewGuid()}", null);
                foreach (var id in PopulatedOrganization.Named(operation, name) is { } kind ? [victim.Ids[kind]] : victim.Ids.Values.Distinct())
                {
                    var found = await stranger.Send(operation, $"{path}?{name}={id}", null);
                    Assert.Equal(200, found.Status);
                    Assert.Empty(JsonNode.Parse(found.Body)!["items"]!.AsArray());
                    Assert.Equal(none, found);
                }
                tried++;
            }
            if (operation.Parameters("query").Contains("cursor"))
            {
                var theirs = await victim.Send(operation, $"{victim.Path(operation)}?limit=1", null);
                if (JsonNode.Parse(theirs.Body)!["nextCursor"]?.GetValue<string>() is { } cursor)
                {
                    var page = await stranger.Send(operation, $"{path}?cursor={cursor}", null);
                    Assert.DoesNotContain(secrets, secret => page.Body.Contains(secret, StringComparison.Ordinal));
                }
            }
        }
        output.WriteLine($"{tried} filters");
        Assert.True(tried > 60, $"Only {tried} filters were tried.");

        static bool IsId(JsonNode? parameter) =>
            parameter!["in"]!.GetValue<string>() == "query" && (parameter["schema"]!["items"] ?? parameter["schema"])!.ToJsonString().Contains("\"uuid\"", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_sign_in_no_route_tells_anything()
    {
        var (victim, _, document) = await Arrange();
        foreach (var operation in document.Operations.Where(operation => operation.NeedsSignIn))
        {
            using var request = PopulatedOrganization.Request(operation, victim.Path(operation), victim.Body(operation));
            using var answer = await app.Anonymous.SendAsync(request);
            Assert.True((int)answer.StatusCode == 401, $"{operation} answered {(int)answer.StatusCode} without sign-in.");
        }
    }

    private async Task<(PopulatedOrganization Victim, PopulatedOrganization Stranger, ApiDescription Document)> Arrange() =>
        (await PopulatedOrganization.Create(app), await PopulatedOrganization.Create(app), await ApiDescription.Read(app));
}
