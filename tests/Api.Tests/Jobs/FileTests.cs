using System.Net;
using System.Net.Http.Headers;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Jobs;

public sealed class FileTests(JobApp app) : IClassFixture<JobApp>
{
    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("a\\b.csv")]
    [InlineData("a\r\nX-Header: b")]
    [InlineData("a\0.csv")]
    [InlineData("fdp.\u202Evsc")]
    [InlineData(" ")]
    public async Task A_name_that_is_a_path_or_not_what_it_looks_like_is_refused(string name)
    {
        var owner = (await app.NewOrganization()).Owner;
        var refused = await (await owner.PostAsync($"/v1/files?name={Uri.EscapeDataString(name)}", new StringContent("x"))).Problem(ProblemType.Validation);
        Assert.Equal(["name"], refused.Fields());
        Assert.Empty(await owner.All("files"));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("text/")]
    [InlineData("text/csv/x")]
    [InlineData("text/plain; a=\"\u0001\"")]
    [InlineData("text/plain; a=\"\u007F\"")]
    public async Task A_content_type_that_is_none_is_refused(string contentType)
    {
        var owner = (await app.NewOrganization()).Owner;
        using var content = new ByteArrayContent([1]);
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        var refused = await (await owner.PostAsync("/v1/files?name=a.csv", content)).Problem(ProblemType.Validation);
        Assert.Equal(["Content-Type"], refused.Fields());
        Assert.Empty(await owner.All("files"));
    }

    [Fact]
    public async Task A_form_is_no_file()
    {
        var owner = (await app.NewOrganization()).Owner;
        using var form = new MultipartFormDataContent { { new ByteArrayContent("firstName\nAnn\n"u8.ToArray()), "file", "a.csv" } };
        var refused = await (await owner.PostAsync("/v1/files?name=a.csv", form)).Problem(ProblemType.UnsupportedMediaType);
        Assert.Contains("--data-binary", refused.Text("detail"), StringComparison.Ordinal);
        Assert.Empty(await owner.All("files"));
    }

    [Fact]
    public async Task A_file_is_downloaded_under_its_name_whatever_its_letters_and_never_shown_as_a_page()
    {
        var owner = (await app.NewOrganization()).Owner;
        using var content = new ByteArrayContent("<script>"u8.ToArray()) { Headers = { ContentType = new MediaTypeHeaderValue("text/html") } };
        var file = (await (await owner.PostAsync($"/v1/files?name={Uri.EscapeDataString(" Kunden \"März\".csv ")}", content)).Json(HttpStatusCode.Created)).Id();
        using var answer = await owner.GetAsync($"/v1/files/{file}/content");
        Assert.Equal(("attachment", "Kunden \"März\".csv"), (answer.Content.Headers.ContentDisposition!.DispositionType, answer.Content.Headers.ContentDisposition.FileNameStar));
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
    }
}
