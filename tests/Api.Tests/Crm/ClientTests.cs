using System.Net.Http.Json;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Crm;

public sealed class ClientTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task A_lead_becomes_a_client_once_with_a_deal_of_its_own()
    {
        var organization = await app.NewOrganization();
        var lead = await organization.Create("clients", new { firstName = "Anna" });
        var path = $"/v1/clients/{lead.Id()}";
        var converted = await (await organization.Owner.PostAsJsonAsync($"{path}/convert", new { clientType = "prospect", assignedTo = organization.OwnerId, deal = new { name = "Tour for two", dealValue = 900, expectedCloseDate = "2026-12-24" } })).Json();
        Assert.Equal(("prospect", "opportunity", "qualified", organization.OwnerId), (converted.Text("clientType"), converted.Text("lifecycleStage"), converted.Text("status"), converted["assignedTo"]!.GetValue<Guid>()));
        Assert.NotNull(converted["convertedAt"]);
        var deal = Assert.Single((await (await organization.Owner.GetAsync($"/v1/deals?clientId={lead.Id()}")).Json()).Items());
        Assert.Equal(("Tour for two", 900m, organization.OwnerId, "2026-12-24"), (deal.Text("name"), deal["dealValue"]!.GetValue<decimal>(), deal["ownerId"]!.GetValue<Guid>(), deal.Text("expectedCloseDate")));
        await (await organization.Owner.PostAsJsonAsync($"{path}/convert", new { })).Problem(ProblemType.Conflict);

        var customer = await organization.Create("clients", new { firstName = "Boris", status = "warmed", lifecycleStage = "evangelist" });
        var became = await (await organization.Owner.PostAsync($"/v1/clients/{customer.Id()}/convert", null)).Json();
        Assert.Equal(("customer", "evangelist", "warmed"), (became.Text("clientType"), became.Text("lifecycleStage"), became.Text("status")));
        Assert.Empty((await (await organization.Owner.GetAsync($"/v1/deals?clientId={customer.Id()}")).Json()).Items());
    }

    [Fact]
    public async Task Each_status_is_in_the_history_with_who_set_it_and_why()
    {
        var organization = await app.NewOrganization();
        var client = await organization.Create("clients", new { firstName = "Anna" });
        await (await organization.Owner.PostAsJsonAsync($"/v1/clients/{client.Id()}/status", new { status = "warmed", reason = "Asked twice" })).Json();
        await (await organization.Owner.Patch($"/v1/clients/{client.Id()}", new { status = "sold" }, "\"2\"")).Json();
        var history = (await (await organization.Owner.GetAsync($"/v1/client-status-changes?clientId={client.Id()}&sort=createdAt")).Json()).Items();
        Assert.Equal([("new_lead", "warmed", "Asked twice"), ("warmed", "sold", null)], history.Select(change => (change.Text("oldStatus"), change.Text("newStatus"), change["reason"]?.GetValue<string>())));
        Assert.All(history, change => Assert.Equal(("human", organization.OwnerId), (change.Text("changedBy"), change["changedById"]!.GetValue<Guid>())));
    }

    [Fact]
    public async Task A_lead_names_the_conversation_that_it_was_captured_in()
    {
        var organization = await app.NewOrganization();
        var conversation = await SeededConversation.Create(organization, "Anna", "+15550001111", "Hello");
        var lead = Assert.Single((await (await organization.Owner.GetAsync("/v1/clients?clientType=lead")).Json()).Items());
        Assert.Equal((conversation.Id, "web", "Anna"), (lead["conversationId"]!.GetValue<Guid>(), lead.Text("source"), lead.Text("firstName")));
    }

    [Fact]
    public async Task Tokens_of_another_crm_go_in_and_never_come_out()
    {
        var organization = await app.NewOrganization();
        var connection = await organization.Create("crm-connections", new { baseDomain = "example.kommo.com", accessToken = "secret-token-1", refreshToken = "secret-token-2", scope = new[] { "crm" } });
        var credential = await organization.Create("crm-credentials", new { clientId = "app", clientSecret = "secret-token-3", redirectUri = "https://example.com/callback" });
        await (await organization.Owner.Patch($"/v1/crm-connections/{connection.Id()}", new { accessToken = "secret-token-4", refreshToken = (string?)null }, "\"1\"")).Json();
        Assert.Equal(["/baseDomain"], (await (await organization.Owner.PostAsJsonAsync("/v1/crm-connections", new { baseDomain = "example.kommo.com", accessToken = "t" })).Problem(ProblemType.Conflict)).Fields());
        Assert.Equal(["/provider"], (await (await organization.Owner.PostAsJsonAsync("/v1/crm-credentials", new { clientId = "app", clientSecret = "t" })).Problem(ProblemType.Conflict)).Fields());
        foreach (var path in new[] { $"crm-connections/{connection.Id()}", $"crm-credentials/{credential.Id()}", "activity-logs" })
        {
            Assert.DoesNotContain("secret-token", await (await organization.Owner.GetAsync($"/v1/{path}")).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
        Assert.Equal("0", await app.Database.ScalarAsAdminAsync<string>("select count(*)::text from crm_connections c, crm_credentials k where strpos(c.access_token || k.client_secret, 'secret-token') > 0 or c.refresh_token is not null"));
        var pipeline = (await organization.Create("crm-pipelines", new { connectionId = connection.Id(), externalId = "1", name = "Sales" })).Id();
        Assert.Equal(["/externalId"], (await (await organization.Owner.PostAsJsonAsync("/v1/crm-pipelines", new { connectionId = connection.Id(), externalId = "1", name = "Sales" })).Problem(ProblemType.Conflict)).Fields());
        await organization.Create("crm-pipeline-stages", new { pipelineId = pipeline, externalId = "1", name = "New", dealStage = "prospecting" });
    }
}
