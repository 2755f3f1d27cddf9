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
