using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Automation;

public sealed class AgentSettingsTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task All_groups_are_kept_as_they_are_given_and_a_change_replaces_only_the_named_ones()
    {
        var organization = await app.NewOrganization();
        var channel = (await organization.Create("channels", new { name = "Web", platform = "web" })).Id();
        var category = (await organization.Create("knowledge-categories", new { title = "Tours" })).Id();
        var source = (await organization.Create("knowledge-sources", new { name = "Prices", type = "text", content = "300 USD" })).Id();
        var settings = new
        {
            checkBeforeSending = true,
            channelConfigs = new { allChannels = false, channelIds = new[] { channel }, platforms = new[] { "web" } },
            knowledgeBaseConfig = new { allCategories = false, categoryIds = new[] { category }, sourceIds = new[] { source }, maxPassages = 3, minSimilarity = 0.25 },
            dataAccessConfig = new { allFields = false, fields = new[] { "client.firstName", "deal.stage" } },
            dataInputConfig = new { isEnabled = true, fields = new[] { new { field = "client.email", instructions = "Ask once.", isRequired = true } } },
            advancedSettings = new { historyMessages = 30, replyLanguage = "de", quietHours = new { from = "22:00", to = "07:30" } },
        };
        var agent = await organization.Create("agents", new { name = "Ana", settings });
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(settings)), agent["settings"]), agent["settings"]!.ToJsonString());

        var changed = await (await organization.Owner.Patch($"/v1/agents/{agent.Id()}", new { settings = new { dataAccessConfig = new { allFields = true } } }, "*")).Json();
        Assert.Equal("""{"allFields":true}""", changed["settings"]!["dataAccessConfig"]!.ToJsonString());
        Assert.True(JsonNode.DeepEquals(agent["settings"]!["channelConfigs"], changed["settings"]!["channelConfigs"]));
    }

    [Theory]
    [InlineData("""{"colour":"red"}""", "/settings/colour")]
    [InlineData("""{"checkBeforeSending":"yes"}""", "/settings/checkBeforeSending")]
    [InlineData("""{"funnelConfigs":[{"stages":[]}]}""", "/settings/funnelConfigs/0/pipelineId")]
    [InlineData("""{"channelConfigs":{"platforms":["fax"]}}""", "/settings/channelConfigs/platforms/0")]
    [InlineData("""{"knowledgeBaseConfig":{"maxPassages":0}}""", "/settings/knowledgeBaseConfig/maxPassages")]
    [InlineData("""{"dataAccessConfig":{"fields":["client.passwordHash"]}}""", "/settings/dataAccessConfig/fields/0")]
    [InlineData("""{"dataInputConfig":{"fields":[{"field":"client.totalRevenue"}]}}""", "/settings/dataInputConfig/fields/0/field")]
    [InlineData("""{"advancedSettings":{"quietHours":{"from":"25:00","to":"07:00"}}}""", "/settings/advancedSettings/quietHours/from")]
    public async Task A_setting_that_does_not_fit_is_named(string settings, string field)
    {
        var organization = await app.NewOrganization();
        var answer = await organization.Owner.PostAsJsonAsync("/v1/agents", new { name = "Ana", settings = JsonNode.Parse(settings) });
        Assert.Equal([field], (await answer.Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task Settings_can_not_name_things_of_another_organization()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        var foreign = (await other.Create("channels", new { name = "Web", platform = "web" })).Id();
        foreach (var id in new[] { foreign, Guid.NewGuid() })
        {
            var answer = await organization.Owner.PostAsJsonAsync("/v1/agents", new { name = "Ana", settings = new { channelConfigs = new { channelIds = new[] { id } } } });
            Assert.Equal(["/settings/channelConfigs/channelIds/0"], (await answer.Problem(ProblemType.Validation)).Fields());
        }
    }

    [Fact]
    public async Task An_agent_of_one_channel_is_named_by_no_other()
    {
        var organization = await app.NewOrganization();
        var (one, other) = ((await organization.Create("channels", new { name = "A", platform = "web" })).Id(), (await organization.Create("channels", new { name = "B", platform = "web" })).Id());
        var agent = (await organization.Create("agents", new { name = "Ana", key = "main_sales_agent", channelId = one })).Id();
        await organization.Create("agents", new { name = "Ana", key = "main_sales_agent", channelId = other });
        Assert.Equal(["/key"], (await (await organization.Owner.PostAsJsonAsync("/v1/agents", new { name = "Eva", key = "main_sales_agent", channelId = one })).Problem(ProblemType.Conflict)).Fields());
        Assert.Equal(["/name"], (await (await organization.Owner.PostAsJsonAsync("/v1/agents", new { name = "Ana", channelId = one })).Problem(ProblemType.Conflict)).Fields());

        var third = (await organization.Create("channels", new { name = "C", platform = "web" })).Id();
        Assert.Equal(["/agentId"], (await (await organization.Owner.Patch($"/v1/channels/{other}", new { agentId = agent }, "*")).Problem(ProblemType.Validation)).Fields());
        await (await organization.Owner.Patch($"/v1/channels/{one}", new { agentId = agent }, "*")).Json();
        Assert.Equal(["/channelId"], (await (await organization.Owner.Patch($"/v1/agents/{agent}", new { channelId = third }, "*")).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task A_funnel_names_stages_of_its_own_pipeline()
    {
        var organization = await app.NewOrganization();
        var (connection, one, other, stage) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        await organization.Execute("INSERT INTO crm_connections (id, organization_id, base_domain, access_token) VALUES ($1, $2, 'example.kommo.com', 'sealed')", connection, organization.Id);
        await organization.Execute("INSERT INTO crm_pipelines (id, organization_id, connection_id, external_id, name) VALUES ($1, $3, $4, '1', 'One'), ($2, $3, $4, '2', 'Other')", one, other, organization.Id, connection);
        await organization.Execute("INSERT INTO crm_pipeline_stages (id, organization_id, pipeline_id, external_id, name) VALUES ($1, $2, $3, '1', 'New')", stage, organization.Id, one);

        object Agent(string name, Guid pipeline) => new { name, settings = new { funnelConfigs = new[] { new { pipelineId = pipeline, stages = new[] { new { stageId = stage, instructions = "Ask for the date." } } } } } };
        await organization.Create("agents", Agent("Ana", one));
        var refused = await (await organization.Owner.PostAsJsonAsync("/v1/agents", Agent("Eva", other))).Problem(ProblemType.Validation);
        Assert.Equal(["/settings/funnelConfigs/0/stages/0/stageId"], refused.Fields());
    }

    [Fact]
    public async Task An_integration_has_what_its_kind_needs_and_keeps_its_secret()
    {
        var organization = await app.NewOrganization();
        var agent = (await organization.Create("agents", new { name = "Ana" })).Id();
        var made = await organization.Create("agent-integrations", new { agentId = agent, kind = "webhook", name = "Bookings", url = "https://example.com/b", secret = "open sesame" });
        Assert.True(made["hasSecret"]!.GetValue<bool>());
        Assert.DoesNotContain("sesame", made.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(0L, await app.Database.ScalarAsAdminAsync<long>("SELECT count(*) FROM agent_integrations WHERE secret LIKE '%sesame%'"));
        foreach (var (body, field) in new (object, string)[]
        {
            (new { agentId = agent, kind = "crm", name = "Kommo" }, "/connectionId"),
            (new { agentId = agent, kind = "mcp", name = "Tools" }, "/url"),
            (new { agentId = agent, kind = "mcp", name = "Tools", url = "http://localhost:9/" }, "/url"),
        })
        {
            Assert.Equal([field], (await (await organization.Owner.PostAsJsonAsync("/v1/agent-integrations", body)).Problem(ProblemType.Validation)).Fields());
        }
    }
}
