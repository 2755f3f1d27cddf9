using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.Jobs;
using AgentPlatform.Api.Tests.TestApp;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.Http;

/// <summary>HTTP as others speak it: clients, proxies, serializers.</summary>
public sealed class HttpTests(JobApp app) : IClassFixture<JobApp>
{
    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task A_compressed_body_is_taken(string coding)
    {
        var organization = await app.NewOrganization();
        var made = await organization.Owner.SendAsync(Request("/v1/clients", Compress(coding, """{"firstName": "Ann"}"""), "application/json", coding));
        Assert.Equal("Ann", (await made.Json(HttpStatusCode.Created)).Text("firstName"));
        var uploaded = await (await organization.Owner.SendAsync(Request("/v1/files?name=c.csv", Compress(coding, "firstName\nBob\n"), "text/csv", coding))).Json(HttpStatusCode.Created);
        Assert.Equal("firstName\nBob\n", await organization.Owner.GetStringAsync($"/v1/files/{uploaded.Id()}/content"));
        Assert.Equal(14, uploaded["size"]!.GetValue<long>());
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("x-gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task A_file_that_compression_makes_smaller_is_kept_whole(string coding)
    {
        var owner = (await app.NewOrganization()).Owner;
        var text = "firstName\n" + string.Concat(Enumerable.Range(0, 20_000).Select(index => $"Bob {index}\n"));
        var packed = Compress(coding, text);
        Assert.True(packed.Length * 2 < text.Length);
        var uploaded = await (await owner.SendAsync(Request("/v1/files?name=c.csv", packed, "text/csv", coding))).Json(HttpStatusCode.Created);
        Assert.Equal(text.Length, uploaded["size"]!.GetValue<long>());
        Assert.Equal(text, await owner.GetStringAsync($"/v1/files/{uploaded.Id()}/content"));
    }

    [Fact]
    public async Task A_gzip_of_several_members_is_taken()
    {
        var owner = (await app.NewOrganization()).Owner;
        byte[] packed = [.. Compress("gzip", "firstName\n"), .. Compress("gzip", ""), .. Compress("gzip", "Bob\n")];
        var uploaded = await (await owner.SendAsync(Request("/v1/files?name=c.csv", packed, "text/csv", "gzip"))).Json(HttpStatusCode.Created);
        Assert.Equal("firstName\nBob\n", await owner.GetStringAsync($"/v1/files/{uploaded.Id()}/content"));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task A_compressed_body_that_breaks_off_or_goes_on_behind_its_end_is_refused_and_not_kept(string coding)
    {
        var organization = await app.NewOrganization();
        var text = $$"""{"firstName": "{{string.Concat(Enumerable.Range(0, 20).Select(index => $"Bob {index}"))}}"}""";
        var whole = Compress(coding, text);
        byte[][] wrong =
        [
            .. new[] { 1, 4, 8, whole.Length / 2, whole.Length - 2 }.Select(missing => whole[..^missing]),
            [.. whole, 0], [.. whole, (byte)'\n'], [.. whole, 0x1F], [.. whole, .. "junk and more of it"u8], [.. whole, .. whole[..^4]], [.. whole, .. new byte[20_000]],
        ];
        foreach (var body in wrong)
        {
            await (await organization.Owner.SendAsync(Request("/v1/files?name=c.csv", body, "text/csv", coding))).Problem(ProblemType.MalformedBody);
            await (await organization.Owner.SendAsync(Request("/v1/clients", body, "application/json", coding))).Problem(ProblemType.MalformedBody);
        }
        Assert.Empty(await organization.Owner.All("files"));
        Assert.Empty(await organization.Owner.All("clients"));
    }

    [Theory]
    [InlineData("zstd", "/v1/clients")]
    [InlineData("gzip, gzip", "/v1/clients")]
    [InlineData("gzip", "/webhooks/whatsapp")]
    public async Task A_coding_that_is_not_known_is_refused_with_those_that_are(string coding, string path)
    {
        var organization = await app.NewOrganization();
        var answer = await organization.Owner.SendAsync(Request(path, Compress("gzip", "{}"), "application/json", coding));
        await answer.Problem(ProblemType.UnsupportedMediaType);
        Assert.NotEmpty(answer.Headers.GetValues("Accept-Encoding"));
    }

    [Fact]
    public async Task A_body_that_is_not_what_it_says_or_becomes_too_large_is_told_so()
    {
        var organization = await app.NewOrganization();
        await (await organization.Owner.SendAsync(Request("/v1/clients", "{}"u8.ToArray(), "application/json", "gzip"))).Problem(ProblemType.MalformedBody);
        var bomb = Compress("gzip", $$"""{"firstName": "{{new string('a', 60_000_000)}}"}""");
        Assert.True(bomb.Length < 100_000);
        await (await organization.Owner.SendAsync(Request("/v1/clients", bomb, "application/json", "gzip"))).Problem(ProblemType.BodyTooLarge);
        await (await organization.Owner.SendAsync(Request("/v1/files?name=b.csv", bomb, "text/csv", "gzip"))).Problem(ProblemType.BodyTooLarge);
    }

    [Fact]
    public async Task Weak_and_several_entity_tags_are_taken()
    {
        var organization = await app.NewOrganization();
        var path = $"/v1/clients/{(await organization.Create("clients", new { firstName = "a" })).Id()}";
        foreach (var (tag, status) in new[]
        {
            ("W/\"1\"", HttpStatusCode.OK), ("\"9\", \"2\"", HttpStatusCode.OK), ("W/\"3\" , W/\"4\"", HttpStatusCode.OK), ("*", HttpStatusCode.OK), ("\"1\", \"2\"", HttpStatusCode.PreconditionFailed),
            ("5", HttpStatusCode.BadRequest), ("\"x\"", HttpStatusCode.BadRequest), ("*, \"5\"", HttpStatusCode.BadRequest), ("\"5", HttpStatusCode.BadRequest), ("\"x\", \"y\"", HttpStatusCode.BadRequest), ("\"5\", \"x\"", HttpStatusCode.OK), ("\"x\", W/\"6\"", HttpStatusCode.OK), ("\"x\", \"6\"", HttpStatusCode.PreconditionFailed),
        })
        {
            Assert.Equal((tag, status), (tag, (await organization.Owner.Patch(path, new { lastName = tag }, tag)).StatusCode));
        }
    }

    [Fact]
    public async Task A_byte_order_mark_before_json_is_passed_over()
    {
        var organization = await app.NewOrganization();
        var body = new ByteArrayContent([0xEF, 0xBB, 0xBF, .. """{"firstName": "Ann"}"""u8]) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        Assert.Equal("Ann", (await (await organization.Owner.PostAsync("/v1/clients", body)).Json(HttpStatusCode.Created)).Text("firstName"));
        var mark = new ByteArrayContent([0xEF, 0xBB, 0xBF]) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        await (await organization.Owner.PostAsync("/v1/clients", mark)).Problem(ProblemType.MalformedBody);
    }

    [Theory]
    [InlineData("limit=5.0", 2)]
    [InlineData("leadScoreFrom=5.0", 1)]
    [InlineData("leadScoreFrom=5.00&leadScoreTo=50.0", 1)]
    [InlineData("q=", 2)]
    [InlineData("q=%20", 2)]
    [InlineData("q=ann", 1)]
    [InlineData("limit=5.5", null)]
    [InlineData("limit=5.0000000000000000000000000000001", null)]
    [InlineData("leadScoreFrom=five", null)]
    public async Task Parameters_are_read_as_programs_write_them(string query, int? found)
    {
        var organization = await app.NewOrganization();
        await organization.Create("clients", new { firstName = "Ann", leadScore = 5 });
        await organization.Create("clients", new { firstName = "Bob", leadScore = 4 });
        var answer = await organization.Owner.GetAsync($"/v1/clients?{query}");
        if (found is null)
        {
            await answer.Problem(ProblemType.Validation);
        }
        else
        {
            Assert.Equal(found, (await answer.Json()).Items().Length);
        }
    }

    [Theory]
    [InlineData("1e-4", false)]
    [InlineData("1e-308", false)]
    [InlineData("1e-400", false)]
    [InlineData("-1e-308", false)]
    [InlineData("5.0000000000000000000000000000000001", false)]
    [InlineData("5.000000000000000000000000000000000000", true)]
    [InlineData("0e-400", true)]
    [InlineData("0.5e1", true)]
    public async Task A_number_is_refused_where_something_of_it_would_be_lost(string number, bool isTaken)
    {
        var organization = await app.NewOrganization();
        var client = (await organization.Create("clients", new { firstName = "a" })).Id();
        foreach (var (path, body) in new[] { ("/v1/deals", $$"""{"clientId": "{{client}}", "name": "a", "dealValue": {{number}}}"""), ("/v1/clients", $$"""{"firstName": "b", "leadScore": {{number}}}""") })
        {
            var answer = await organization.Owner.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));
            Assert.Equal((path, isTaken ? HttpStatusCode.Created : HttpStatusCode.BadRequest), (path, answer.StatusCode));
        }
    }

    [Theory]
    [InlineData("2345-6789", true)]
    [InlineData("+49 151", true)]
    [InlineData("(0151) 2345 6789", true)]
    [InlineData("49.151/23456789", true)]
    [InlineData("0049 151 23456789", true)]
    [InlineData("2345-6788", false)]
    [InlineData("5-6", false)]
    public async Task A_phone_number_is_found_as_people_write_it(string wanted, bool isFound)
    {
        var organization = await app.NewOrganization();
        await organization.Create("clients", new { phone = "+4915123456789" });
        Assert.Equal(isFound ? 1 : 0, (await organization.Owner.All($"clients?q={Uri.EscapeDataString(wanted)}")).Length);
    }

    [Fact]
    public async Task Head_is_answered_wherever_get_is_with_the_same_headers_and_no_body()
    {
        var organization = await app.NewOrganization();
        var client = await organization.Create("clients", new { firstName = "a" });
        var file = await organization.Owner.Upload("firstName\nBob\n"u8.ToArray());
        string[] paths = ["/v1/clients", $"/v1/clients/{client.Id()}", "/v1/clients/x", "/v1/me", "/v1/organization", $"/v1/files/{file}/content", "/openapi/v1.json", "/health/live", "/v1/analytics/summary", "/widget.js"];
        foreach (var path in paths)
        {
            var get = await organization.Owner.GetAsync(path);
            var head = await organization.Owner.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
            Assert.Equal((path, get.StatusCode, get.Content.Headers.ContentType, get.Headers.ETag?.Tag), (path, head.StatusCode, head.Content.Headers.ContentType, head.Headers.ETag?.Tag));
            Assert.True(head.Content.Headers.ContentLength is null || head.Content.Headers.ContentLength == get.Content.Headers.ContentLength); // It may be left out (RFC 9110, 8.6).
            Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        }
        var routes = app.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<Operation>() is { Role: not null } && route.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Contains("GET")).ToList();
        Assert.True(routes.Count > 100);
        foreach (var route in routes)
        {
            var path = System.Text.RegularExpressions.Regex.Replace(route.RoutePattern.RawText!, "{[^}]*}", Guid.Empty.ToString());
            using var head = await organization.Owner.SendAsync(new HttpRequestMessage(HttpMethod.Head, path), HttpCompletionOption.ResponseHeadersRead);
            Assert.True(head.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound or HttpStatusCode.Forbidden or HttpStatusCode.BadRequest, $"HEAD {path}: {head.StatusCode}");
        }
    }

    [Theory]
    [InlineData("5.0", HttpStatusCode.Created)]
    [InlineData("5e0", HttpStatusCode.Created)]
    [InlineData("0.5e1", HttpStatusCode.Created)]
    [InlineData("5.5", HttpStatusCode.BadRequest)]
    [InlineData("1e400", HttpStatusCode.BadRequest)]
    [InlineData("\"5\"", HttpStatusCode.BadRequest)]
    public async Task A_whole_number_may_be_written_as_a_decimal(string number, HttpStatusCode status)
    {
        var organization = await app.NewOrganization();
        var answer = await organization.Owner.PostAsync("/v1/clients", new StringContent($$"""{"firstName": "a", "leadScore": {{number}}}""", Encoding.UTF8, "application/json"));
        Assert.Equal(status, answer.StatusCode);
        if (status == HttpStatusCode.Created)
        {
            Assert.Equal(5, (await answer.Json(status))["leadScore"]!.GetValue<int>());
        }
    }

    [Theory]
    [InlineData("""{"firstName": "a", "firstName": "b"}""", "/firstName")]
    [InlineData("""{"address": {"a~b/c": 1, "x": [1, {"y": 2}, {"z": {"q": 1, "q": 2}}]}}""", "/address/x/2/z/q")]
    [InlineData("""{"address": {"a~b/c": 1, "a\u007eb/c": 2}}""", "/address/a~0b~1c")]
    public async Task A_name_that_is_given_twice_is_told_with_its_place(string body, string place)
    {
        var organization = await app.NewOrganization();
        var answer = await organization.Owner.PostAsync("/v1/clients", new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.Equal($"The name {place} is given twice.", (await answer.Problem(ProblemType.MalformedBody)).Text("detail"));
    }

    [Theory]
    [InlineData("JOD", "2.755", HttpStatusCode.Created)]
    [InlineData("JOD", "2.7555", HttpStatusCode.BadRequest)]
    [InlineData("jod", "2.755", HttpStatusCode.BadRequest)]
    [InlineData("JPY", "100", HttpStatusCode.Created)]
    [InlineData("JPY", "100.0", HttpStatusCode.Created)]
    [InlineData("JPY", "100.50", HttpStatusCode.BadRequest)]
    [InlineData("EUR", "1.25", HttpStatusCode.Created)]
    [InlineData("EUR", "1.255", HttpStatusCode.BadRequest)]
    [InlineData("XYZ", "1", HttpStatusCode.BadRequest)]
    public async Task An_amount_has_the_places_of_its_currency(string currency, string amount, HttpStatusCode status)
    {
        var organization = await app.NewOrganization();
        var client = (await organization.Create("clients", new { firstName = "a" })).Id();
        foreach (var (path, name, more) in new[] { ("deals", "dealValue", $"\"clientId\": \"{client}\", \"name\": \"d\""), ("orders", "subtotal", $"\"clientId\": \"{client}\", \"orderNumber\": \"1\""), ("products", "price", "\"name\": \"p\"") })
        {
            var answer = await organization.Owner.PostAsync($"/v1/{path}", new StringContent($$"""{ {{more}}, "{{name}}": {{amount}}, "currency": "{{currency}}" }""", Encoding.UTF8, "application/json"));
            Assert.Equal((path, status), (path, answer.StatusCode));
            if (status == HttpStatusCode.Created)
            {
                var made = await answer.Json(status);
                Assert.Equal(decimal.Parse(amount, System.Globalization.CultureInfo.InvariantCulture), made[name]!.GetValue<decimal>());
                Assert.Equal(["/" + name], (await (await organization.Owner.Patch($"/v1/{path}/{made.Id()}", new JsonObject { [name] = 1.0005m }, "*")).Problem(ProblemType.Validation)).Fields());
            }
        }
    }

    [Fact]
    public async Task Sums_of_the_finest_currency_and_of_the_largest_amounts_are_exact()
    {
        var organization = await app.NewOrganization();
        var client = (await organization.Create("clients", new { firstName = "a" })).Id();
        for (var number = 0; number < 3; number++)
        {
            await organization.Create("orders", new { clientId = client, orderNumber = $"{number}", subtotal = 9_999_999_999.999m, currency = "KWD" });
        }
        await organization.Create("orders", new { clientId = client, orderNumber = "items", currency = "KWD", items = new[] { new { name = "n", quantity = 0.333m, unitPrice = 1.005m } } });
        var read = await (await organization.Owner.GetAsync($"/v1/clients/{client}")).Json();
        Assert.Equal(29_999_999_999.997m + 0.335m, read["totalRevenue"]!.GetValue<decimal>());
        Assert.Equal(30_000_000_000.332m, (await (await organization.Owner.GetAsync("/v1/analytics/summary")).Json())["totalRevenue"]!.GetValue<decimal>());
    }

    [Theory]
    [InlineData("9999-12-31")]
    [InlineData("0001-01-01")]
    [InlineData("1899-12-31")]
    [InlineData("2201-01-01")]
    [InlineData("2026-02-30")]
    public async Task A_day_out_of_bounds_is_refused(string day)
    {
        var organization = await app.NewOrganization();
        var client = (await organization.Create("clients", new { firstName = "a" })).Id();
        var answer = await organization.Owner.PostAsJsonAsync("/v1/deals", new { clientId = client, name = "d", expectedCloseDate = day });
        Assert.Equal(["/expectedCloseDate"], (await answer.Problem(ProblemType.Validation)).Fields());
        var moment = await organization.Owner.PostAsJsonAsync("/v1/clients", new { firstName = "a", nextFollowUpDate = $"{day}T00:00:00Z" });
        Assert.Equal(["/nextFollowUpDate"], (await moment.Problem(ProblemType.Validation)).Fields());
        var job = await organization.Owner.Job("/v1/jobs/imports", new { resource = "clients", fileId = await organization.Owner.Upload(Encoding.UTF8.GetBytes($"firstName,nextFollowUpDate\na,{day}T00:00:00Z\n")) });
        Assert.Equal("nextFollowUpDate", Assert.Single(await organization.Owner.Errors(job)).Field);
        await (await organization.Owner.GetAsync($"/v1/deals?expectedCloseDateFrom={day}")).Problem(ProblemType.Validation);
    }

    private static HttpRequestMessage Request(string path, byte[] body, string type, string coding)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        request.Content.Headers.TryAddWithoutValidation("Content-Encoding", coding);
        return request;
    }

    private static byte[] Compress(string coding, string text)
    {
        using var packed = new MemoryStream();
        using (Stream packing = coding switch
        {
            "br" => new BrotliStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            "deflate" => new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            _ => new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true),
        })
        {
            packing.Write(Encoding.UTF8.GetBytes(text));
        }
        return packed.ToArray();
    }
}
