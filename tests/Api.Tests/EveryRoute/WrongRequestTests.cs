using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>Every route with bodies and queries made wrong from its own schema: a problem that names the field, never a defect.</summary>
public sealed class WrongRequestTests(EngineApp app, ITestOutputHelper output) : IClassFixture<EngineApp>
{
    [Fact]
    public async Task A_field_that_does_not_fit_its_schema_is_named()
    {
        var (caller, document) = await Arrange();
        var tried = 0;
        foreach (var operation in Bodies(document))
        {
            foreach (var (property, schema) in operation.Body!["properties"]!.AsObject())
            {
                foreach (var wrong in WrongValues.Of(operation, schema!.AsObject()))
                {
                    var problem = await Send(caller, operation, With(caller.Body(operation)!, property, wrong), wrong);
                    Assert.True(problem.Status == 400, $"{operation} took {property} = {Cut(wrong)}: {problem.Status} {problem.Body}");
                    Assert.True(
                        problem.Fields.Any(field => field == $"/{property}" || field.StartsWith($"/{property}/", StringComparison.Ordinal)),
                        $"{operation} doesn't name {property} for {Cut(wrong)}: {problem.Body}");
                    tried++;
                }
            }
        }
        output.WriteLine($"{tried} wrong values");
        Assert.True(tried > 1000, $"Only {tried} wrong values were tried.");
    }

    [Fact]
    public async Task Odd_values_are_never_a_defect()
    {
        var (caller, document) = await Arrange();
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        foreach (var operation in Bodies(document))
        {
            foreach (var (property, _) in operation.Body!["properties"]!.AsObject())
            {
                foreach (var odd in random.GetItems(WrongValues.Odd, 8).Distinct())
                {
                    var answer = await Send(caller, operation, With(caller.Body(operation)!, property, odd), odd);
                    Assert.True(answer.Status < 500, $"{operation} failed on {property} = {odd}: {answer.Status} {answer.Body}");
                }
            }
        }
    }

    [Fact]
    public async Task What_is_no_json_object_at_all_is_refused()
    {
        var (caller, document) = await Arrange();
        byte[][] bodies =
        [
            "{"u8.ToArray(), "nonsense"u8.ToArray(), "[]"u8.ToArray(), "null"u8.ToArray(), "\"text\""u8.ToArray(), "{}{}"u8.ToArray(), "{\"a\":1,\"a\":2}"u8.ToArray(), [0xFF, 0xFE, 0x7B, 0x7D], [0x7B, 0x22, 0xC3, 0x28, 0x22, 0x3A, 0x31, 0x7D],
            Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", 5000)) + "1" + new string('}', 5000)),
            "{\"nobody knows this\": 1}"u8.ToArray(), "{\"\\ud800\": 1}"u8.ToArray(),
        ];
        foreach (var operation in Bodies(document))
        {
            foreach (var body in bodies)
            {
                var answer = await SendBytes(caller, operation, body, "application/json");
                Assert.True(answer.Status == 400, $"{operation} answered {answer.Status} {answer.Body} to {Cut(Encoding.UTF8.GetString(body))}");
            }
            Assert.Equal(415, (await SendBytes(caller, operation, "{\"a\":1}"u8.ToArray(), "text/plain")).Status);
            Assert.Equal(413, (await SendBytes(caller, operation, Encoding.UTF8.GetBytes($"{{\"a\":\"{new string('x', 1024 * 1024)}\"}}"), "application/json")).Status);
        }
    }

    [Fact]
    public async Task A_query_that_does_not_fit_is_named()
    {
        var (caller, document) = await Arrange();
        foreach (var operation in document.Operations.Where(operation => operation.Method == "GET" && operation.NeedsSignIn && operation.Path != "/v1/events"))
        {
            var path = caller.Path(operation);
            foreach (var query in new[] { "nobodyKnowsThis=1", "limit=0&limit=1", "%00=%00" })
            {
                Assert.Equal(400, (await Get(caller, $"{path}?{query}")).Status);
            }
            foreach (var parameter in (operation.Json["parameters"]?.AsArray() ?? []).Where(parameter => parameter!["in"]!.GetValue<string>() == "query"))
            {
                var name = parameter!["name"]!.GetValue<string>();
                var isFreeText = parameter["schema"]!.ToJsonString() is var schema && !schema.Contains("enum", StringComparison.Ordinal) && !schema.Contains("format", StringComparison.Ordinal)
                    && !schema.Contains("boolean", StringComparison.Ordinal) && name != "cursor";
                foreach (var wrong in new[] { "%00", "x%F0%9F%98%80y", new string('9', 5000), "a,,b", "%ED%A0%80", "99999999999999999999" })
                {
                    var answer = await Get(caller, $"{path}?{name}={wrong}");
                    Assert.True(answer.Status is 400 || (isFreeText && answer.Status == 200), $"{operation} answered {answer.Status} {answer.Body} to {name}={Cut(wrong)}");
                    Assert.True(answer.Status == 200 || answer.Fields.Contains(name), $"{operation} doesn't name {name}: {answer.Body}");
                }
            }
        }
    }

    [Fact]
    public async Task Wrong_paths_and_headers_are_problems_too()
    {
        var (caller, document) = await Arrange();
        foreach (var operation in document.Operations.Where(operation => operation.Path.Contains("{id}", StringComparison.Ordinal) && operation.NeedsSignIn))
        {
            foreach (var id in new[] { "nonsense", "%00", "..%2f..", "0196f1c07d007c3e9a555f0c1b2a3d4e", new string('1', 3000) })
            {
                using var request = Request(operation, operation.Path.Replace("{id}", id, StringComparison.Ordinal), caller.Body(operation)?.ToJsonString());
                using var answer = await caller.Organization.Owner.SendAsync(request);
                Assert.True((int)answer.StatusCode is 404 or 400 or 405, $"{operation} answered {(int)answer.StatusCode} to the id {Cut(id)}");
            }
        }
        await (await caller.Organization.Owner.GetAsync("/v1/nothing")).Problem(ProblemType.NotFound);
        await (await caller.Organization.Owner.PutAsync("/v1/personas", null)).Problem(ProblemType.MethodNotAllowed);
        Assert.Equal(["Idempotency-Key"], (await (await caller.Organization.Owner.PostWithKey("/v1/personas", new { name = "A" }, new string('k', 500))).Problem(ProblemType.Validation)).Fields());
    }

    private async Task<(PopulatedOrganization Caller, ApiDescription Document)> Arrange()
    {
        // What a route says about a body is the same for all who may call it; a super admin may call them all.
        var caller = await PopulatedOrganization.Create(app);
        await caller.Organization.Execute("UPDATE users SET is_super_admin = true WHERE id = $1", caller.Organization.OwnerId);
        return (caller, await ApiDescription.Read(app));
    }

    private static IEnumerable<ApiOperation> Bodies(ApiDescription document) =>
        document.Operations.Where(operation => operation.Body?["properties"] is not null && operation.NeedsSignIn && !operation.Path.StartsWith("/v1/auth/", StringComparison.Ordinal));

    private static string With(JsonObject body, string property, string json)
    {
        body.Remove(property);
        var text = body.ToJsonString();
        return $"{text[..^1]}{(body.Count > 0 ? "," : "")}{JsonSerializer.Serialize(property)}:{json}}}";
    }

    private static Task<WrongAnswer> Send(PopulatedOrganization caller, ApiOperation operation, string body, string what)
    {
        Assert.NotNull(what);
        return SendBytes(caller, operation, Encoding.UTF8.GetBytes(body), "application/json");
    }

    private static async Task<WrongAnswer> SendBytes(PopulatedOrganization caller, ApiOperation operation, byte[] body, string contentType)
    {
        using var request = Request(operation, caller.Path(operation), null);
        request.Content = new ByteArrayContent(body) { Headers = { { "Content-Type", contentType } } };
        using var answer = await caller.Organization.Owner.SendAsync(request);
        return await WrongAnswer.Read(answer);
    }

    private static async Task<WrongAnswer> Get(PopulatedOrganization caller, string path)
    {
        using var answer = await caller.Organization.Owner.GetAsync(path);
        return await WrongAnswer.Read(answer);
    }

    private static HttpRequestMessage Request(ApiOperation operation, string path, string? body)
    {
        var request = new HttpRequestMessage(new HttpMethod(operation.Method), path);
        if (operation.Parameters("header").Contains("If-Match"))
        {
            request.Headers.TryAddWithoutValidation("If-Match", "*");
        }
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        return request;
    }

    private static string Cut(string text) => text.Length > 80 ? string.Create(CultureInfo.InvariantCulture, $"{text[..80]}… ({text.Length})") : text;

    private sealed record WrongAnswer(int Status, string Body, string[] Fields)
    {
        public static async Task<WrongAnswer> Read(HttpResponseMessage answer)
        {
            var body = await answer.Content.ReadAsStringAsync();
            var json = body.StartsWith('{') ? JsonNode.Parse(body)!.AsObject() : [];
            return new((int)answer.StatusCode, Cut(body), json.Fields());
        }
    }
}
