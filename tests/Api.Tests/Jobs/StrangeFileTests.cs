using System.Text;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>Files that hold what Postgres can't keep, in what is told about them too.</summary>
public sealed class StrangeFileTests(JobApp app) : IClassFixture<JobApp>
{
    [Fact]
    public async Task A_file_that_is_no_text_fails_and_holds_nothing_up()
    {
        var organization = await app.NewOrganization();
        byte[] binary = [.. Enumerable.Range(0, 20_000).Select(index => (byte)index)];
        var job = await organization.Owner.Job("/v1/jobs/imports", new { resource = "clients", fileId = await organization.Owner.Upload(binary) }, "failed");
        Assert.Contains("is not a field of clients", job.Text("error"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("csv", "firstName,email\nAnna,a@example.com\nBo\0ris,b@example.com\nCarl,\0\nDora,d@example.com\n")]
    [InlineData("json", "{\"firstName\":\"Anna\"}\n{\"first\\u0000Name\":\"Boris\"}\n{\"firstName\":\"Ca\\u0000rl\"}\n{\"firstName\":\"Dora\"}\n")]
    public async Task Lines_with_a_null_character_are_told_and_the_others_go_in(string format, string content)
    {
        var organization = await app.NewOrganization();
        var job = await organization.Owner.Job("/v1/jobs/imports", new { resource = "clients", format, fileId = await organization.Owner.Upload(Encoding.UTF8.GetBytes(content)) });
        Assert.Equal((2, 2), (job["result"]!["imported"]!.GetValue<int>(), job["result"]!["failed"]!.GetValue<int>()));
        Assert.Equal(["Anna", "Dora"], (await organization.Owner.All("clients")).Select(client => client.Text("firstName")).Order());
    }
}
