using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Jobs;

public sealed class PrivacyTests(JobApp app) : IClassFixture<JobApp>
{
    [Theory]
    [InlineData("clients")]
    [InlineData("contacts")]
    public async Task After_an_erasure_no_table_tells_of_the_person_and_the_counts_are_as_before(string by)
    {
        var (organization, conversation, client) = await FullOrganization.Create(app);
        var before = await Counts(organization);
        Assert.True((await FullOrganization.Scan(app, FullOrganization.Mark, FullOrganization.Digits)).Length >= 8);

        var job = await organization.Owner.Job($"/v1/{by}/{(by == "clients" ? client : conversation.ContactId)}/erasure", null);

        Assert.Equal(1, job["result"]!["clients"]!.GetValue<int>());
        Assert.Empty(await FullOrganization.Scan(app, FullOrganization.Mark, FullOrganization.Digits));
        Assert.Equal(before, await Counts(organization));
        var erased = await (await organization.Owner.GetAsync($"/v1/clients/{client}")).Json();
        Assert.Equal("lead", erased.Text("clientType"));
        Assert.Null(erased["phone"]);
        Assert.Single((await (await organization.Owner.GetAsync($"/v1/activity-logs?entityId={client}&actionType=client.erased")).Json()).Items());
    }

    [Fact]
    public async Task Of_one_who_has_one_of_everything_nothing_is_left()
    {
        var populated = await EveryRoute.PopulatedOrganization.Create(app);
        var (organization, client, mark) = (populated.Organization, populated.Ids["clients"], $"mark-{Guid.NewGuid():N}");
        // Every free text in every row that refers to the client says who it is.
        await organization.Execute("UPDATE deals SET name = $2 WHERE client_id = $1", client, mark);
        await organization.Execute("UPDATE activities SET subject = $2, description = $2 WHERE client_id = $1", client, mark);
        await organization.Execute("UPDATE notes SET content = $2 WHERE client_id = $1", client, mark);
        await organization.Execute("UPDATE agent_memories SET content = $2 WHERE client_id = $1", client, mark);
        await organization.Execute("UPDATE client_products SET notes = $2 WHERE client_id = $1", client, mark);
        await organization.Execute("UPDATE client_tours SET notes = $2 WHERE client_id = $1", client, mark);
        await organization.Execute("UPDATE clients SET company_name = $2 WHERE id = $1", client, mark);
        Assert.True((await FullOrganization.Scan(app, mark)).Length >= 7);
        await organization.Owner.Job($"/v1/clients/{client}/erasure", null);
        Assert.Empty(await FullOrganization.Scan(app, mark));
    }

    [Fact]
    public async Task An_erasure_touches_nobody_else()
    {
        var (_, _, client) = await FullOrganization.Create(app);
        var (other, conversation, _) = await FullOrganization.Create(app);
        var organization = await app.NewOrganization();
        var neighbour = (await organization.Create("clients", new { firstName = "Neighbour", phone = "+15550004711" })).Id();
        var gone = (await organization.Create("clients", new { firstName = "Gone" })).Id();
        var theirs = await EveryRoute.TenantRows.Fingerprint(app, other.Id);
        await organization.Owner.Job($"/v1/clients/{gone}/erasure", null);
        Assert.Equal("Neighbour", (await (await organization.Owner.GetAsync($"/v1/clients/{neighbour}")).Json()).Text("firstName"));
        Assert.Equal(theirs, await EveryRoute.TenantRows.Fingerprint(app, other.Id));
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await organization.Owner.PostAsync($"/v1/clients/{client}/erasure", null)).StatusCode);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await organization.Owner.PostAsync($"/v1/contacts/{conversation.ContactId}/erasure", null)).StatusCode);
    }

    [Fact]
    public async Task All_that_is_kept_about_a_person_can_be_had()
    {
        var (organization, conversation, client) = await FullOrganization.Create(app);
        var job = await organization.Owner.Job($"/v1/clients/{client}/data-export", null);
        var rows = Encoding.UTF8.GetString(await organization.Owner.Download(job)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToArray();
        var tables = rows.GroupBy(row => row["table"]!.GetValue<string>()).ToDictionary(group => group.Key, group => group.Count());
        Assert.Equal((1, 1, 2, 1, 1), (tables["clients"], tables["contacts"], tables["messages"], tables["turns"], tables["contact_identities"]));
        Assert.Contains(rows, row => row["table"]!.GetValue<string>() == "messages" && row["row"]!["text_content"]!.GetValue<string>() == $"I am {FullOrganization.Mark}");
        Assert.All(rows, row => Assert.Equal(organization.Id, row["row"]!["organization_id"]!.GetValue<Guid>()));
        Assert.Contains(rows, row => row["row"]!["id"]?.GetValue<string>() == conversation.Id.ToString());
    }

    private async Task<string> Counts(TestOrganization organization)
    {
        var counts = new List<string>();
        foreach (var table in new[] { "clients", "contacts", "conversations", "messages", "turns" })
        {
            counts.Add($"{table} {await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM {table} WHERE organization_id = '{organization.Id}'")}");
        }
        return string.Join(", ", counts);
    }
}
