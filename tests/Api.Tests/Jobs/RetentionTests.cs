using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.Jobs;

public sealed class RetentionTests(JobApp app) : IClassFixture<JobApp>
{
    [Fact]
    public async Task What_is_older_than_an_organization_wants_goes_and_the_rest_stays()
    {
        var (organization, conversation, client) = await FullOrganization.Create(app);
        var (keeping, _, _) = await FullOrganization.Create(app);
        var theirs = await EveryRoute.TenantRows.Fingerprint(app, keeping.Id);
        var import = await organization.Owner.Job("/v1/jobs/imports", new { resource = "partners", fileId = await organization.Owner.Upload("name\nA\n") });
        (await organization.Owner.PostWithKey("/v1/partners", new { name = "Kept answer" }, "key")).EnsureSuccessStatusCode();
        foreach (var table in new[] { "turns", "activity_logs", "idempotency_keys", "files", "jobs" })
        {
            await organization.Execute($"UPDATE {table} SET created_at = now() - interval '11 days' WHERE organization_id = $1", organization.Id);
        }
        // One of two messages is old, and one that waits to be sent is not touched.
        await organization.Execute("UPDATE messages SET created_at = now() - interval '11 days' WHERE conversation_id = $1 AND sequence = 1", conversation.Id);
        var unsent = await conversation.Add(organization, 3, "unsent");
        await organization.Execute("UPDATE messages SET created_at = now() - interval '11 days', status = 'pending', direction = 'outbound', sender_type = 'agent' WHERE id = $1", unsent);
        await organization.Execute("UPDATE contacts SET last_interaction_at = now() - interval '11 days' WHERE id = $1", conversation.ContactId);
        var grain = app.Services.GetRequiredService<IGrainFactory>().GetGrain<IRetentionGrain>(0);
        Assert.Equal(0, await grain.StartDue());

        (await organization.Owner.Patch("/v1/organization", new { messagesKeptDays = 10, turnsKeptDays = 10, activityLogsKeptDays = 10, idempotencyKeysKeptDays = 10, filesKeptDays = 10 }, "*")).EnsureSuccessStatusCode();
        Assert.Equal(1, await grain.StartDue());
        var job = (await (await organization.Owner.GetAsync("/v1/jobs?sort=-createdAt")).Json()).Items().First(found => found.Text("work") == "retention");
        job = await organization.Owner.Ended(job.Id());

        var deleted = job["result"]!["deleted"]!;
        Assert.Equal((1, 1, 1, 1, 1), (deleted["messages"]!.GetValue<int>(), deleted["previews"]!.GetValue<int>(), deleted["turns"]!.GetValue<int>(), deleted["idempotencyKeys"]!.GetValue<int>(), deleted["files"]!.GetValue<int>()));
        Assert.True(deleted["activityLogs"]!.GetValue<int>() > 5);
        // The job itself stays, but from where it was asked for is as old as what the log said of it.
        Assert.Equal(1, deleted["jobOrigins"]!.GetValue<int>());
        Assert.Equal(1, await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM jobs WHERE id = '{import.Id()}' AND num_nulls(ip_address, user_agent, api_key_id) = 3"));
        Assert.Equal([2L, 3L], (await (await organization.Owner.GetAsync($"/v1/conversations/{conversation.Id}/messages?sort=sequence")).Json()).Items().Select(message => message["sequence"]!.GetValue<long>()));
        Assert.Equal(FullOrganization.Mark, (await (await organization.Owner.GetAsync($"/v1/clients/{client}")).Json()).Text("firstName"));
        Assert.Equal(theirs, await EveryRoute.TenantRows.Fingerprint(app, keeping.Id));
        // Once a day.
        Assert.Equal(0, await grain.StartDue());
    }

    [Fact]
    public async Task An_expired_file_is_deleted_and_others_stay()
    {
        var organization = await app.NewOrganization();
        var (gone, stays) = (await organization.Owner.Upload("a"), await organization.Owner.Upload("b"));
        await organization.Execute("UPDATE files SET expires_at = now() - interval '1 second' WHERE id = $1", gone);
        await app.Services.GetRequiredService<IGrainFactory>().GetGrain<IRetentionGrain>(0).StartDue();
        Assert.Equal([stays], (await organization.Owner.All("files")).Select(file => file.Id()));
        Assert.Equal(0, await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM file_chunks WHERE file_id = '{gone}'"));
    }
}
