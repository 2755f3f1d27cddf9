using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests;

/// <summary>Who answers in a channel, and why nobody does.</summary>
public sealed class DefaultAgentTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task A_channel_without_an_agent_is_answered_by_the_default_agent()
    {
        var organization = await app.NewOrganization();
        var channel = await organization.Create("channels", new { name = "Web", platform = "web" });
        Assert.Equal((null, "no_active_agent"), Answer(channel));
        Assert.Contains("no active agent", channel.Text("notAnsweredReason"), StringComparison.Ordinal);

        var first = await organization.Create("agents", new { name = "First", status = "active" });
        var second = await organization.Create("agents", new { name = "Second", status = "active" });
        Assert.Equal((first.Id().ToString(), null), Answer(await Read(organization, channel.Id())));
        Assert.Null((await Read(organization, channel.Id()))["notAnsweredReason"]);
        var chosen = await (await organization.Owner.Patch("/v1/organization", new { defaultAgentId = second.Id() }, "*")).Json();
        Assert.Equal((second.Id().ToString(), second.Id().ToString()), (chosen.Text("defaultAgentId"), chosen.Text("answeringAgentId")));
        Assert.Equal((second.Id().ToString(), null), Answer(await Read(organization, channel.Id())));

        await (await organization.Owner.Patch($"/v1/agents/{second.Id()}", new { status = "inactive" }, "*")).Json();
        Assert.Equal((first.Id().ToString(), null), Answer(await Read(organization, channel.Id())));
        await (await organization.Owner.Patch($"/v1/agents/{second.Id()}", new { status = "active" }, "*")).Json();
        Assert.Equal((second.Id().ToString(), null), Answer(await Read(organization, channel.Id())));
        (await organization.Owner.DeleteAsync($"/v1/agents/{second.Id()}")).EnsureSuccessStatusCode();
        Assert.Equal((first.Id().ToString(), null), Answer(await Read(organization, channel.Id())));
        Assert.Null((await (await organization.Owner.GetAsync("/v1/organization")).Json())["defaultAgentId"]);
    }

    [Theory]
    [InlineData("channel", "{\"isActive\": false}", "channel_inactive")]
    [InlineData("channel", "{\"isBotActive\": false}", "bot_inactive")]
    [InlineData("organization", "{\"aiEnabled\": false}", "organization_ai_disabled")]
    [InlineData("agent", "{\"status\": \"inactive\"}", "agent_inactive")]
    [InlineData("agent", "{\"status\": \"archived\"}", "agent_inactive")]
    public async Task A_channel_that_nobody_answers_says_why_when_it_is_read_changed_and_listed(string changed, string change, string code)
    {
        var organization = await app.NewOrganization();
        var (agent, _) = (await organization.Create("agents", new { name = "Own", status = "active" }), await organization.Create("agents", new { name = "Other", status = "active" }));
        var channel = await organization.Create("channels", new { name = "Web", platform = "web", agentId = agent.Id() });
        Assert.Equal((agent.Id().ToString(), null), Answer(channel));

        var path = changed switch { "channel" => $"/v1/channels/{channel.Id()}", "agent" => $"/v1/agents/{agent.Id()}", _ => "/v1/organization" };
        var answer = await (await organization.Owner.Patch(path, System.Text.Json.Nodes.JsonNode.Parse(change)!, "*")).Json();

        if (changed == "channel")
        {
            Assert.Equal((null, code), Answer(answer));
        }
        Assert.Equal((null, code), Answer(await Read(organization, channel.Id())));
        Assert.Equal((null, code), Answer(Assert.Single((await (await organization.Owner.GetAsync("/v1/channels")).Json()).Items())));
    }

    [Fact]
    public async Task The_default_agent_is_one_of_the_organization_that_any_channel_may_name()
    {
        var (organization, stranger) = (await app.NewOrganization(), await app.NewOrganization());
        var foreign = await stranger.Create("agents", new { name = "Foreign", status = "active" });
        var channel = await organization.Create("channels", new { name = "Web", platform = "web" });
        var bound = await organization.Create("agents", new { name = "Bound", status = "active", channelId = channel.Id() });
        var free = await organization.Create("agents", new { name = "Free", status = "active" });

        foreach (var id in (Guid[])[foreign.Id(), bound.Id(), Guid.NewGuid()])
        {
            Assert.Equal(["/defaultAgentId"], (await (await organization.Owner.Patch("/v1/organization", new { defaultAgentId = id }, "*")).Problem(ProblemType.Validation)).Fields());
        }
        await (await (await organization.Member(Role.Manager)).Patch("/v1/organization", new { defaultAgentId = free.Id() }, "*")).Problem(ProblemType.Forbidden);
        Assert.Equal((free.Id().ToString(), null), Answer(await Read(organization, channel.Id())));
    }

    private static (string? Agent, string? Code) Answer(System.Text.Json.Nodes.JsonObject channel) =>
        (channel["answeringAgentId"]?.GetValue<string>(), channel["notAnsweredCode"]?.GetValue<string>());

    private static async Task<System.Text.Json.Nodes.JsonObject> Read(TestOrganization organization, Guid channel) => await (await organization.Owner.GetAsync($"/v1/channels/{channel}")).Json();
}
