using System.Text.Json.Nodes;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Tests.TestApp;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests;

public sealed class DocumentTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task The_document_describes_every_route_with_its_schemas_and_security()
    {
        var document = await ApiDescription.Read(app);
        Assert.StartsWith("3.1", document.Root.Text("openapi"), StringComparison.Ordinal);
        var declared = app.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<Operation>() is not null)
            .Select(endpoint => endpoint.Metadata.GetMetadata<Operation>()!).ToDictionary(operation => operation.Id);
        Assert.Equal(declared.Keys.Order(), document.Operations.Select(operation => operation.Id).Where(declared.ContainsKey).Order());
        foreach (var described in document.Operations.Where(operation => declared.ContainsKey(operation.Id)))
        {
            var operation = declared[described.Id];
            Assert.True(described.Json["summary"]!.GetValue<string>().Length > 0);
            Assert.Equal(operation.Role is not null, described.Json["security"]?.AsArray().Count > 0);
            Assert.Equal(operation.Query.Select(parameter => parameter.Name), described.Parameters("query"));
            Assert.Equal(operation.Body is not null, described.Body is not null);
            Assert.NotNull(described.Json["responses"]![$"{operation.SuccessStatus}"]);
        }
    }

    [Fact]
    public async Task The_document_is_the_same_for_whoever_asks_by_whatever_name()
    {
        async Task<string> Ask(string host)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/openapi/v1.json") { Headers = { Host = host } };
            using var answer = await app.Anonymous.SendAsync(request);
            Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
            return await answer.Content.ReadAsStringAsync();
        }
        var document = await Ask("one.example");
        Assert.Equal(document, await Ask("another.example"));
        Assert.DoesNotContain("one.example", document, StringComparison.Ordinal);
    }

    /// <summary>These have no rate limit of the API's: whoever adds one makes sure that anybody may ask for it as often as he likes, or that it limits itself.</summary>
    [Fact]
    public void What_is_not_limited_is_known() => Assert.Equal(
        Known,
        app.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<Operation>() is null).Select(endpoint => endpoint.RoutePattern.RawText!).Distinct().Order(StringComparer.Ordinal));

    private static readonly string[] Known =
    [
        "/", "/accept-invitation", "/assets/{version}/{name}", "/chat/{channelId}", "/favicon.ico", "/forgot-password", "/health/live", "/health/ready", "/openapi/v1.json", "/reset-password",
        "/v1/web/{channelId}/{**rest}", "/webhooks/telegram/{channelId}", "/webhooks/whatsapp", "/webhooks/whatsapp/{channelId}", "/widget.js",
    ];

    [Fact]
    public async Task Every_reference_in_the_document_has_its_target()
    {
        var document = await ApiDescription.Read(app);
        foreach (var reference in References(document.Root))
        {
            JsonNode? target = document.Root;
            foreach (var part in reference.Split('/').Skip(1))
            {
                target = target?[part];
            }
            Assert.True(target is not null, $"{reference} names nothing.");
        }
    }

    [Fact]
    public async Task Every_example_body_is_accepted_by_its_own_schema()
    {
        var document = await ApiDescription.Read(app);
        foreach (var operation in document.Operations.Where(operation => operation.Body is not null))
        {
            var example = operation.Example ?? [];
            foreach (var member in operation.Body!["required"]?.AsArray() ?? [])
            {
                Assert.True(example.ContainsKey(member!.GetValue<string>()), $"The example of {operation.Id} lacks {member}.");
            }
            foreach (var (name, _) in example)
            {
                Assert.True(operation.Body["properties"]!.AsObject().ContainsKey(name), $"The example of {operation.Id} has an unknown {name}.");
            }
        }
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject json => json.SelectMany(member => member is { Key: "$ref", Value: JsonValue value } ? [value.GetValue<string>()] : References(member.Value)),
        JsonArray array => array.SelectMany(References),
        _ => [],
    };
}
