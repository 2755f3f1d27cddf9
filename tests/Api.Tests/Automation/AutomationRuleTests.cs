using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Automation;

public sealed class AutomationRuleTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task A_rule_keeps_its_conditions_and_actions_as_given()
    {
        var organization = await app.NewOrganization();
        var template = (await organization.Create("email-templates", new { name = "Welcome", subject = "Hello, {{client.firstName}}", bodyText = "Hello." })).Id();
        var conditions = JsonNode.Parse("""
            [{"field":"client.status","operator":"in","value":["new_lead","qualified"]},{"field":"client.leadScore","operator":"at_least","value":50},
             {"field":"client.tags","operator":"contains","value":"vip"},{"field":"client.email","operator":"is_set"}]
            """);
        var actions = JsonNode.Parse($$"""
            [{"type":"send_email","emailTemplateId":"{{template}}"},{"type":"set_field","field":"client.leadScore","value":90},{"type":"create_task","title":"Call","assigneeId":"{{organization.OwnerId}}"},
             {"type":"webhook","webhookUrl":"https://example.com/hook"}]
            """);
        var rule = await organization.Create("automation-rules", new { name = "Hot", triggerType = "lead_updated", conditions, actions, priority = 5, cooldownMinutes = 60, maxExecutionsPerDay = 10 });
        Assert.True(JsonNode.DeepEquals(conditions, rule["conditions"]), rule["conditions"]!.ToJsonString());
        Assert.True(JsonNode.DeepEquals(actions, rule["actions"]), rule["actions"]!.ToJsonString());

        await organization.Create("automation-rules", new { name = "Cold", triggerType = "manual", isActive = false });
        var names = (await (await organization.Owner.GetAsync("/v1/automation-rules")).Json()).Items().Select(item => item.Text("name"));
        Assert.Equal(["Hot", "Cold"], names);
    }

    [Theory]
    [InlineData("""{"conditions":[{"field":"client.shoeSize","operator":"equals","value":1}]}""", "/conditions/0/field")]
    [InlineData("""{"conditions":[{"field":"client.leadScore","operator":"contains","value":1}]}""", "/conditions/0/operator")]
    [InlineData("""{"conditions":[{"field":"client.leadScore","operator":"at_least","value":"high"}]}""", "/conditions/0/value")]
    [InlineData("""{"conditions":[{"field":"client.status","operator":"in","value":["new_lead","asleep"]}]}""", "/conditions/0/value/1")]
    [InlineData("""{"conditions":[{"field":"client.status","operator":"in","value":[]}]}""", "/conditions/0/value")]
    [InlineData("""{"conditions":[{"field":"client.email","operator":"is_set","value":true}]}""", "/conditions/0/value")]
    [InlineData("""{"conditions":[{"field":"client.email","operator":"equals"}]}""", "/conditions/0/value")]
    [InlineData("""{"actions":[{"type":"dance"}]}""", "/actions/0/type")]
    [InlineData("""{"actions":[{"type":"send_message"}]}""", "/actions/0/text")]
    [InlineData("""{"actions":[{"type":"send_message","text":"Hello, {{client.passwordHash}}"}]}""", "/actions/0/text")]
    [InlineData("""{"actions":[{"type":"hand_over"},{"type":"set_field","field":"client.status","value":"asleep"}]}""", "/actions/1/value")]
    [InlineData("""{"actions":[{"type":"set_field","field":"client.totalRevenue","value":1}]}""", "/actions/0/field")]
    [InlineData("""{"actions":[{"type":"webhook","webhookUrl":"http://169.254.169.254/latest"}]}""", "/actions/0/webhookUrl")]
    [InlineData("""{"actions":[]}""", "/actions")]
    [InlineData("""{"triggerType":"time_based"}""", "/schedule")]
    [InlineData("""{"schedule":{"every":"day","at":"09:30"}}""", "/schedule")]
    [InlineData("""{"triggerType":"time_based","schedule":{"every":"day","at":"9:30"}}""", "/schedule/at")]
    public async Task What_does_not_fit_is_named(string wrong, string field)
    {
        var organization = await app.NewOrganization();
        var body = new JsonObject { ["name"] = "Rule", ["triggerType"] = "manual", ["actions"] = new JsonArray(new JsonObject { ["type"] = "hand_over" }) };
        foreach (var (name, value) in JsonNode.Parse(wrong)!.AsObject())
        {
            body[name] = value?.DeepClone();
        }
        Assert.Equal([field], (await (await organization.Owner.PostAsJsonAsync("/v1/automation-rules", body)).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task An_action_can_not_name_things_of_another_organization()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        var foreign = (await other.Create("sequences", new { name = "Theirs", triggerType = "manual" })).Id();
        foreach (var id in new[] { foreign, Guid.NewGuid() })
        {
            var answer = await organization.Owner.PostAsJsonAsync("/v1/automation-rules", new { name = "Rule", triggerType = "manual", actions = new[] { new { type = "start_sequence", sequenceId = id } } });
            Assert.Equal(["/actions/0/sequenceId"], (await answer.Problem(ProblemType.Validation)).Fields());
        }
    }
}
