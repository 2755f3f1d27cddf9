using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Automation;

public sealed class KnowledgeSourceTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task A_document_keeps_its_file_and_the_file_goes_with_it()
    {
        var organization = await app.NewOrganization();
        var file = (await (await organization.Owner.PostAsync("/v1/files?name=prices.pdf", new StringContent("%PDF-1.7"))).Json(HttpStatusCode.Created)).Id();
        var source = await organization.Create("knowledge-sources", new { name = "Prices", type = "pdf", fileId = file });
        Assert.Equal(("pending", $"files/{file}"), (source.Text("status"), source.Text("storagePath")));
        var kept = await (await organization.Owner.GetAsync($"/v1/files/{file}")).Json();
        Assert.Equal("knowledge", kept.Text("purpose"));
        Assert.Null(kept["expiresAt"]);

        await (await organization.Owner.DeleteAsync($"/v1/files/{file}")).Problem(ProblemType.Conflict);
        Assert.Equal(["/fileId"], (await (await organization.Owner.PostAsJsonAsync("/v1/knowledge-sources", new { name = "Again", type = "pdf", fileId = file })).Problem(ProblemType.Validation)).Fields());
        Assert.Equal(HttpStatusCode.NoContent, (await organization.Owner.DeleteAsync($"/v1/knowledge-sources/{source.Id()}")).StatusCode);
        await (await organization.Owner.GetAsync($"/v1/files/{file}")).Problem(ProblemType.NotFound);
    }

    [Fact]
    public async Task A_view_of_an_article_is_counted_without_a_change_of_it()
    {
        var organization = await app.NewOrganization();
        var article = await organization.Create("knowledge-articles", new { title = "Sahara", content = "Sand." });
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => organization.Owner.PostAsync($"/v1/knowledge-articles/{article.Id()}/view", null)));
        var seen = await (await organization.Owner.GetAsync($"/v1/knowledge-articles/{article.Id()}")).Json();
        Assert.Equal(5, seen["viewCount"]!.GetValue<int>());
        Assert.Equal((article["version"]!.ToJsonString(), article["updatedAt"]!.ToJsonString()), (seen["version"]!.ToJsonString(), seen["updatedAt"]!.ToJsonString()));
    }

    [Theory]
    [InlineData("""{"type":"text"}""", "/content")]
    [InlineData("""{"type":"text","content":"  "}""", "/content")]
    [InlineData("""{"type":"url"}""", "/url")]
    [InlineData("""{"type":"url","url":"http://192.168.0.1/"}""", "/url")]
    [InlineData("""{"type":"text","content":"x","url":"https://example.com/"}""", "/url")]
    [InlineData("""{"type":"pdf"}""", "/fileId")]
    [InlineData("""{"type":"video"}""", "/type")]
    [InlineData("""{"type":"text","content":"x","status":"completed"}""", "/status")]
    public async Task A_source_has_what_its_type_needs(string source, string field)
    {
        var organization = await app.NewOrganization();
        var body = JsonNode.Parse(source)!.AsObject();
        body["name"] = "Source";
        Assert.Equal([field], (await (await organization.Owner.PostAsJsonAsync("/v1/knowledge-sources", body)).Problem(ProblemType.Validation)).Fields());
    }
}
