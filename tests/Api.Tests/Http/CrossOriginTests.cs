using System.Net;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Http;

/// <summary>Pages of other sites: what a browser asks before, and what it lets them read.</summary>
public sealed class CrossOriginTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task A_page_of_an_allowed_origin_may_call_and_read_what_it_needs()
    {
        var organization = await app.NewOrganization();
        var origin = await Allow(organization);
        var preflight = await app.Anonymous.SendAsync(Preflight("/v1/clients/x", origin));
        Assert.Equal(HttpStatusCode.NoContent, preflight.StatusCode);
        Assert.Equal(origin, Header(preflight, "Access-Control-Allow-Origin"));
        Assert.Contains("PATCH", Header(preflight, "Access-Control-Allow-Methods"), StringComparison.Ordinal);
        foreach (var name in new[] { "Authorization", "Content-Type", "If-Match", "Content-Encoding", "If-None-Match", "Cache-Control", "X-Requested-With", "Traceparent" })
        {
            Assert.Contains(name, Header(preflight, "Access-Control-Allow-Headers"), StringComparison.OrdinalIgnoreCase);
        }
        var client = await organization.Create("clients", new { firstName = "a" });
        foreach (var path in new[] { $"/v1/clients/{client.Id()}", "/v1/clients/unknown", "/v1/clients?wrong=1" })
        {
            var answer = await Get(organization.Owner, path, origin);
            Assert.Equal(origin, Header(answer, "Access-Control-Allow-Origin"));
            Assert.Contains("ETag", Header(answer, "Access-Control-Expose-Headers"), StringComparison.Ordinal);
            Assert.Contains("Origin", answer.Headers.Vary);
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
        }
        // Without a sign-in, so that the page can read why.
        Assert.Equal((HttpStatusCode.Unauthorized, origin), ((await Get(app.Anonymous, "/v1/clients", origin)).StatusCode, Header(await Get(app.Anonymous, "/v1/clients", origin), "Access-Control-Allow-Origin")));
    }

    [Fact]
    public async Task A_page_of_another_origin_reads_nothing()
    {
        var (one, other) = (await app.NewOrganization(), await app.NewOrganization());
        var origin = await Allow(one);
        foreach (var wrong in new[] { "https://evil.example", "null", origin + ".evil.example", origin.Replace("https", "http", StringComparison.Ordinal), origin + ":8443" })
        {
            await (await app.Anonymous.SendAsync(Preflight("/v1/clients", wrong))).Problem(ProblemType.Forbidden);
            Assert.Null(Header(await Get(one.Owner, "/v1/clients", wrong), "Access-Control-Allow-Origin"));
        }
        // Another organization's page, with a key of ours.
        Assert.Null(Header(await Get(other.Owner, "/v1/clients", origin), "Access-Control-Allow-Origin"));
        Assert.Equal(origin, Header(await Get(one.Owner, "/v1/clients", origin), "Access-Control-Allow-Origin"));
        // No longer allowed.
        await (await one.Owner.Patch("/v1/organization", new { allowedOrigins = Array.Empty<string>() }, "*")).Json();
        await Eventually.Holds(async () => (await app.Anonymous.SendAsync(Preflight("/v1/clients", origin))).StatusCode == HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData("https://App.Example.com/", "https://app.example.com")]
    [InlineData("https://app.example.com:443", "https://app.example.com")]
    [InlineData("http://localhost:5173", "http://localhost:5173")]
    [InlineData("https://münchen.example", "https://xn--mnchen-3ya.example")]
    [InlineData("https://[::1]:8080", "https://[::1]:8080")]
    [InlineData("https://app.example.com/path", null)]
    [InlineData("app.example.com", null)]
    [InlineData("*", null)]
    [InlineData("null", null)]
    [InlineData("javascript://x", null)]
    [InlineData("https://user@app.example.com", null)]
    [InlineData("https://app.example.com\n", "https://app.example.com")]
    public async Task An_origin_is_kept_as_browsers_send_it(string given, string? kept)
    {
        var organization = await app.NewOrganization();
        var answer = await organization.Owner.Patch("/v1/organization", new { allowedOrigins = new[] { given } }, "*");
        if (kept is null)
        {
            Assert.Equal(["/allowedOrigins/0"], (await answer.Problem(ProblemType.Validation)).Fields());
        }
        else
        {
            Assert.Equal(kept, (await answer.Json())["allowedOrigins"]![0]!.GetValue<string>());
        }
    }

    private static async Task<string> Allow(TestOrganization organization)
    {
        var origin = $"https://{Guid.NewGuid():N}.example";
        await (await organization.Owner.Patch("/v1/organization", new { allowedOrigins = new[] { origin } }, "*")).Json();
        return origin;
    }

    private static HttpRequestMessage Preflight(string path, string origin)
    {
        var request = new HttpRequestMessage(HttpMethod.Options, path);
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "PATCH");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,cache-control,content-encoding,content-type,if-match,if-none-match,traceparent,x-requested-with");
        return request;
    }

    private static Task<HttpResponseMessage> Get(HttpClient client, string path, string origin)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Origin", origin);
        return client.SendAsync(request);
    }

    private static string? Header(HttpResponseMessage answer, string name) => answer.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;
}
