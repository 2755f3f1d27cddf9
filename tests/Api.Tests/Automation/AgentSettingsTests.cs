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
}
