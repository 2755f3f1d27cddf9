using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>A member of one organization tries the ids of another on every route of the document: in the path, in the query, in the body.</summary>
public sealed class IsolationTests(EngineApp app) : IClassFixture<EngineApp>
{
    [Fact]
    public async Task An_id_of_another_organization_is_the_same_as_one_that_does_not_exist()
    {
        var (victim, stranger, document) = await Arrange();
        var before = await TenantRows.Fingerprint(app, victim.Organization.Id);
        var tried = 0;
        foreach (var operation in document.Operations.Where(operation => operation.Path.Contains("{id}", StringComparison.Ordinal) && operation.NeedsSignIn))
        {
            var foreign = await Send(stranger, operation, victim.Path(operation), stranger.Body(operation));
            var absent = await Send(stranger, operation, PopulatedOrganization.Path(operation, Guid.NewGuid()), stranger.Body(operation));
            Assert.True(foreign.Status is 404 or 403, $"{operation} answered {foreign.Status} {foreign.Body} to an id of another organization.");
            Assert.Equal(absent, foreign);
            tried++;
        }
        Assert.True(tried > 50, $"Only {tried} routes were tried.");
        Assert.Equal(before, await TenantRows.Fingerprint(app, victim.Organization.Id));
    }

    [Fact]
    public async Task A_body_can_not_name_things_of_another_organization()
    {
        var (victim, stranger, document) = await Arrange();
        var tried = 0;
        foreach (var operation in document.Operations.Where(operation => operation.Body is not null && operation.NeedsSignIn))
        {
            foreach (var (property, path) in PopulatedOrganization.References(operation))
            {
                var body = operation.Method == "PATCH" ? [] : stranger.Body(operation)!;
                body[property] = victim.Ids[path].ToString();
                var foreign = await Send(stranger, operation, stranger.Path(operation), body);
                body[property] = Guid.NewGuid().ToString();
                var absent = await Send(stranger, operation, stranger.Path(operation), body);
                Assert.True(foreign.Status is 400 or 404, $"{operation} answered {foreign.Status} {foreign.Body} to {property} of another organization.");
                Assert.Contains(property, foreign.Body, StringComparison.Ordinal);
                Assert.Equal(absent, foreign);
                tried++;
            }
        }
        Assert.True(tried > 20, $"Only {tried} references were tried.");
    }

    [Fact]
    public async Task A_query_can_not_find_things_of_another_organization()
    {
        var (victim, stranger, document) = await Arrange();
        var secrets = victim.Ids.Values.Select(id => id.ToString()).Append(victim.Organization.Id.ToString()).ToArray();
        foreach (var operation in document.Operations.Where(operation => operation.Method == "GET" && operation.NeedsSignIn && operation.Path != "/v1/events" && !PopulatedOrganization.IsOfInstallation(operation)))
        {
            var path = stranger.Path(operation);
            var mine = await Send(stranger, operation, path, null);
            Assert.Equal(200, mine.Status);
            Assert.DoesNotContain(secrets, secret => mine.Body.Contains(secret, StringComparison.Ordinal));

            foreach (var parameter in operation.Json["parameters"]?.AsArray().Where(IsId) ?? [])
            {
                foreach (var id in victim.Ids.Values.Distinct())
                {
                    var found = await Send(stranger, operation, $"{path}?{parameter!["name"]}={id}", null);
                    Assert.Equal(200, found.Status);
                    Assert.Empty(JsonNode.Parse(found.Body)!["items"]!.AsArray());
                }
            }
            if (operation.Parameters("query").Contains("cursor"))
            {
                var theirs = await Send(victim, operation, $"{victim.Path(operation)}?limit=1", null);
                if (JsonNode.Parse(theirs.Body)!["nextCursor"]?.GetValue<string>() is { } cursor)
                {
                    var page = await Send(stranger, operation, $"{path}?cursor={cursor}", null);
                    Assert.DoesNotContain(secrets, secret => page.Body.Contains(secret, StringComparison.Ordinal));
                }
            }
        }

        static bool IsId(JsonNode? parameter) =>
            parameter!["in"]!.GetValue<string>() == "query" && (parameter["schema"]!["items"] ?? parameter["schema"])!.ToJsonString().Contains("\"uuid\"", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_sign_in_no_route_tells_anything()
    {
        var (victim, _, document) = await Arrange();
        foreach (var operation in document.Operations.Where(operation => operation.NeedsSignIn))
        {
            using var request = Request(operation, victim.Path(operation), victim.Body(operation));
            using var answer = await app.Anonymous.SendAsync(request);
            Assert.True((int)answer.StatusCode == 401, $"{operation} answered {(int)answer.StatusCode} without sign-in.");
        }
    }

    private async Task<(PopulatedOrganization Victim, PopulatedOrganization Stranger, ApiDescription Document)> Arrange() =>
        (await PopulatedOrganization.Create(app), await PopulatedOrganization.Create(app), await ApiDescription.Read(app));

    private static async Task<(int Status, string Body)> Send(PopulatedOrganization caller, ApiOperation operation, string path, JsonObject? body)
    {
        using var request = Request(operation, path, body);
        using var answer = await caller.Organization.Owner.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        if (JsonNode.Parse(text.Length == 0 ? "{}" : text) is not JsonObject json)
        {
            return ((int)answer.StatusCode, text);
        }
        json.Remove("traceId");
        return ((int)answer.StatusCode, json.ToJsonString());
    }

    private static HttpRequestMessage Request(ApiOperation operation, string path, JsonObject? body)
    {
        var request = new HttpRequestMessage(new HttpMethod(operation.Method), path) { Content = body is null ? null : JsonContent.Create(body) };
        if (operation.Parameters("header").Contains("If-Match"))
        {
            request.Headers.TryAddWithoutValidation("If-Match", "*");
        }
        return request;
    }
}
