using System.Net;
using System.Net.Http.Headers;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Crm;

public sealed class CallRecordingTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task The_sound_of_a_recording_is_a_file_that_is_kept_with_it_and_goes_with_it()
    {
        var (organization, stranger) = (await app.NewOrganization(), await app.NewOrganization());
        var file = await Upload(organization);
        Assert.Equal(["/fileId"], (await (await stranger.Owner.PostAsync("/v1/call-recordings", System.Net.Http.Json.JsonContent.Create(new { fileId = file }))).Problem(ProblemType.Validation)).Fields());
        var recording = await organization.Create("call-recordings", new { fileId = file, durationSeconds = 12 });
        Assert.Equal(file, recording["fileId"]!.GetValue<Guid>());
        var kept = await (await organization.Owner.GetAsync($"/v1/files/{file}")).Json();
        Assert.Equal(("recording", null), (kept.Text("purpose"), kept["expiresAt"]));

        // Another sound takes its place: the first one goes.
        var second = await Upload(organization);
        await (await organization.Owner.Patch($"/v1/call-recordings/{recording.Id()}", new { fileId = second }, "*")).Json();
        await (await organization.Owner.GetAsync($"/v1/files/{file}")).Problem(ProblemType.NotFound);
        Assert.Equal(HttpStatusCode.NoContent, (await organization.Owner.DeleteAsync($"/v1/call-recordings/{recording.Id()}")).StatusCode);
        await (await organization.Owner.GetAsync($"/v1/files/{second}")).Problem(ProblemType.NotFound);
    }

    [Fact]
    public async Task A_recording_outlives_a_file_that_is_deleted()
    {
        var organization = await app.NewOrganization();
        var file = await Upload(organization);
        var recording = await organization.Create("call-recordings", new { fileId = file, transcript = "Hello." });
        await organization.Execute("DELETE FROM files WHERE id = $1", file);
        var left = await (await organization.Owner.GetAsync($"/v1/call-recordings/{recording.Id()}")).Json();
        Assert.Equal((null, "Hello."), (left["fileId"], left.Text("transcript")));
    }

    private static async Task<Guid> Upload(TestOrganization organization)
    {
        using var sound = new ByteArrayContent([1, 2, 3]) { Headers = { ContentType = new MediaTypeHeaderValue("audio/mpeg") } };
        return (await (await organization.Owner.PostAsync("/v1/files?name=call.mp3", sound)).Json(HttpStatusCode.Created)).Id();
    }
}
