using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>Who sees what somebody uploaded: one rule for lists, reads, downloads, deletions, and for all that takes a file.</summary>
public sealed class UploadReaderTests(JobApp app) : IClassFixture<JobApp>
{
    private static readonly byte[] Content = "phone,firstName\n+15550000001,Secret\n"u8.ToArray();

    [Theory]
    [InlineData(Role.Member, false)]
    [InlineData(Role.Manager, false)]
    [InlineData(Role.Admin, true)]
    [InlineData(Role.Owner, true)]
    public async Task Another_members_upload_is_for_admins_and_owners(Role role, bool isSeen)
    {
        var organization = await app.NewOrganization();
        var uploader = await organization.Member(Role.Member);
        var other = await organization.Member(role);
        await Sees(uploader, await uploader.Upload(Content), true, false);
        await Sees(other, await uploader.Upload(Content), isSeen, role >= Role.Manager);
    }

    [Fact]
    public async Task A_key_sees_what_it_uploaded_itself_and_nothing_else_whatever_its_role()
    {
        var organization = await app.NewOrganization();
        var (one, two) = (await Key(organization), await Key(organization));
        await Sees(one, await organization.Owner.Upload(Content), false, true);
        await Sees(two, await one.Upload(Content), false, true);
        await Sees(one, await one.Upload(Content), true, true);
        await Sees(organization.Owner, await one.Upload(Content), true, true);
    }

    [Fact]
    public async Task What_a_recording_or_a_document_uses_is_read_as_that_is()
    {
        var organization = await app.NewOrganization();
        var member = await organization.Member(Role.Member);
        var (sound, text) = (await organization.Owner.Upload(Content), await organization.Owner.Upload(Content));
        await organization.Create("call-recordings", new { fileId = sound });
        await organization.Create("knowledge-sources", new { name = "Prices", type = "document", fileId = text });
        foreach (var file in new[] { sound, text })
        {
            Assert.Equal(Content, await member.GetByteArrayAsync($"/v1/files/{file}/content"));
        }
    }

    [Fact]
    public async Task An_owner_imports_an_archive_that_another_owner_uploaded()
    {
        var organization = await app.NewOrganization();
        var job = await organization.Owner.Job("/v1/organization/export", new { });
        var archive = await organization.Owner.Upload(await organization.Owner.Download(job), "organization.zip");
        await (await organization.Member(Role.Owner)).Job("/v1/organization/import", new { fileId = archive });
    }

    [Fact]
    public async Task Files_that_one_does_not_see_take_room_all_the_same()
    {
        var organization = await app.NewOrganization();
        await organization.Owner.Upload(Content);
        await organization.Execute("UPDATE files SET size = 4294967296 - 10 WHERE organization_id = $1", organization.Id);
        var member = await organization.Member(Role.Member);
        await (await member.PostAsync("/v1/files?name=a.csv", new ByteArrayContent(Content))).Problem(ProblemType.Conflict);
    }

    private static async Task Sees(HttpClient reader, Guid file, bool isSeen, bool mayDelete)
    {
        Assert.Equal(isSeen, (await reader.All("files")).Any(row => row.Id() == file));
        var status = isSeen ? HttpStatusCode.OK : HttpStatusCode.NotFound;
        Assert.Equal(status, (await reader.GetAsync($"/v1/files/{file}")).StatusCode);
        Assert.Equal(status, (await reader.GetAsync($"/v1/files/{file}/content")).StatusCode);
        if (!isSeen)
        {
            Assert.Equal(["/fileId"], (await (await reader.PostAsJsonAsync("/v1/jobs/imports", new { resource = "clients", fileId = file })).Problem(ProblemType.Validation)).Fields());
            Assert.Equal(["/fileId"], (await (await reader.PostAsJsonAsync("/v1/call-recordings", new { fileId = file })).Problem(ProblemType.Validation)).Fields());
        }
        if (mayDelete)
        {
            Assert.Equal(isSeen ? HttpStatusCode.NoContent : HttpStatusCode.NotFound, (await reader.DeleteAsync($"/v1/files/{file}")).StatusCode);
        }
    }

    private async Task<HttpClient> Key(TestOrganization organization) =>
        app.Client((await (await organization.Owner.PostAsJsonAsync("/v1/api-keys", new { name = "k", role = "owner", scopes = new[] { "read", "write" } })).Json(HttpStatusCode.Created)).Text("key"));
}
