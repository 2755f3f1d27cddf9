using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using Npgsql;

namespace AgentPlatform.Api.Tests.Automation;

public sealed class WorkflowTests(ApiApp app) : IClassFixture<ApiApp>
{
    private const string Ask = """
        {"nodes":[{"id":"start","kind":"start","position":{"x":0,"y":0}},
                  {"id":"ask","kind":"send_message","text":"When would you like to travel, {{client.firstName}}?"},
                  {"id":"reply","kind":"wait_for_reply","timeoutMinutes":60},
                  {"id":"hot","kind":"condition","conditions":[{"field":"message.text","operator":"contains","value":"tomorrow"}]},
                  {"id":"person","kind":"hand_over"},{"id":"end","kind":"end"}],
         "edges":[{"from":"start","to":"ask"},{"from":"ask","to":"reply"},{"from":"reply","to":"hot","when":"replied"},{"from":"reply","to":"end","when":"timed_out"},
                  {"from":"hot","to":"person","when":"true"},{"from":"hot","to":"ask","when":"false"}]}
        """;

    [Fact]
    public async Task A_graph_is_kept_as_given_and_a_way_back_may_wait_for_a_reply()
    {
        var organization = await app.NewOrganization();
        var graph = JsonNode.Parse(Ask);
        var workflow = await organization.Create("workflows", new { name = "Ask", triggerType = "conversation_started", graph });
        Assert.True(JsonNode.DeepEquals(graph, workflow["graph"]), workflow["graph"]!.ToJsonString());
        var listed = Assert.Single((await (await organization.Owner.GetAsync("/v1/workflows?status=draft")).Json()).Items());
        Assert.False(listed.ContainsKey("graph"));
    }

    [Theory]
    [InlineData("""{"nodes":[{"id":"a","kind":"end"}],"edges":[]}""", "/graph/nodes")]
    [InlineData("""{"nodes":[{"id":"a","kind":"start"},{"id":"b","kind":"start"}],"edges":[]}""", "/graph/nodes")]
    [InlineData("""{"nodes":[{"id":"a","kind":"start"},{"id":"a","kind":"end"}],"edges":[]}""", "/graph/nodes/1/id")]
    [InlineData("""{"nodes":[{"id":"a","kind":"teleport"}],"edges":[]}""", "/graph/nodes/0/kind")]
    [InlineData("""{"nodes":[{"id":"a","kind":"start"}],"edges":[]}""", "/graph/nodes/0")]
    [InlineData("""{"nodes":[{"id":"a","kind":"start"},{"id":"b","kind":"end"}],"edges":[{"from":"a","to":"c"}]}""", "/graph/edges/0/to")]
    [InlineData("""{"nodes":[{"id":"a","kind":"start"},{"id":"b","kind":"hand_over"}],"edges":[{"from":"a","to":"b"},{"from":"b","to":"a"}]}""", "/graph/edges/1/to")]
    [InlineData("""{"nodes":[{"id":"a","kind":"start"},{"id":"b","kind":"end"},{"id":"c","kind":"end"}],"edges":[{"from":"a","to":"b"}]}""", "/graph/nodes/2")]
    [InlineData("""{"nodes":[{"id":"a","kind":"start"},{"id":"b","kind":"end"}],"edges":[{"from":"a","to":"b","when":"true"}]}""", "/graph/nodes/0")]
    [InlineData("""{"nodes":[{"id":"a","kind":"start"},{"id":"b","kind":"condition","conditions":[]},{"id":"c","kind":"end"}],"edges":[{"from":"a","to":"b"},{"from":"b","to":"c","when":"true"}]}""", "/graph/nodes/1")]
    [InlineData("""{"nodes":[{"id":"a","kind":"start"},{"id":"b","kind":"hand_over"},{"id":"c","kind":"enable_ai"}],"edges":[{"from":"a","to":"b"},{"from":"b","to":"c"},{"from":"c","to":"b"}]}""", "/graph/nodes/1 /graph/nodes/2")]
    [InlineData("""{"nodes":[{"id":"a","kind":"start"},{"id":"b","kind":"webhook","webhookUrl":"http://10.0.0.1/"}],"edges":[{"from":"a","to":"b"}]}""", "/graph/nodes/1/webhookUrl")]
    public async Task A_graph_that_is_no_whole_is_refused_where_it_breaks(string graph, string fields)
    {
        var organization = await app.NewOrganization();
        var answer = await organization.Owner.PostAsJsonAsync("/v1/workflows", new { name = "Wrong", triggerType = "manual", graph = JsonNode.Parse(graph) });
        Assert.Equal(fields.Split(' '), (await answer.Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task A_long_chain_with_two_ways_that_meet_again_is_no_circle()
    {
        var organization = await app.NewOrganization();
        var nodes = new JsonArray(new JsonObject { ["id"] = "start", ["kind"] = "start" }, new JsonObject { ["id"] = "if", ["kind"] = "condition", ["conditions"] = new JsonArray() });
        var edges = new JsonArray(new JsonObject { ["from"] = "start", ["to"] = "if" }, new JsonObject { ["from"] = "if", ["to"] = "n0", ["when"] = "true" }, new JsonObject { ["from"] = "if", ["to"] = "n90", ["when"] = "false" });
        for (var number = 0; number < 190; number++)
        {
            nodes.Add(new JsonObject { ["id"] = $"n{number}", ["kind"] = "enable_ai" });
            if (number > 0)
            {
                edges.Add(new JsonObject { ["from"] = $"n{number - 1}", ["to"] = $"n{number}" });
            }
        }
        await organization.Create("workflows", new { name = "Long", triggerType = "manual", graph = new JsonObject { ["nodes"] = nodes, ["edges"] = edges } });
    }

    [Fact]
    public async Task Executions_are_read_under_their_workflow_and_keep_to_their_states()
    {
        var organization = await app.NewOrganization();
        var workflow = (await organization.Create("workflows", new { name = "Ask", triggerType = "manual", graph = JsonNode.Parse(Ask) })).Id();
        var id = Guid.CreateVersion7();
        await organization.Execute("INSERT INTO workflow_executions (id, organization_id, workflow_id, workflow_version) VALUES ($1, $2, $3, 1)", id, organization.Id, workflow);
        await organization.Execute("UPDATE workflow_executions SET status = 'completed', finished_at = now() WHERE id = $1", id);
        var listed = Assert.Single((await (await organization.Owner.GetAsync($"/v1/workflows/{workflow}/executions?status=completed")).Json()).Items());
        Assert.Equal(id, listed.Id());
        Assert.Equal("[]", (await (await organization.Owner.GetAsync($"/v1/executions/{id}")).Json())["steps"]!.ToJsonString());

        var failure = await Assert.ThrowsAsync<PostgresException>(() => organization.Execute("UPDATE workflow_executions SET status = 'running', finished_at = NULL WHERE id = $1", id));
        Assert.Equal("execution_goes_through_its_states_in_order", failure.ConstraintName);
        failure = await Assert.ThrowsAsync<PostgresException>(() => organization.Execute("INSERT INTO workflow_executions (organization_id, workflow_id, workflow_version, status) VALUES ($1, $2, 1, 'failed')", organization.Id, workflow));
        Assert.Contains(failure.ConstraintName, new[] { "failed_execution_says_why", "ended_execution_says_when" });
    }

    [Fact]
    public async Task The_database_itself_takes_no_graph_without_a_start()
    {
        var organization = await app.NewOrganization();
        var failure = await Assert.ThrowsAsync<PostgresException>(() => organization.Execute(
            """INSERT INTO workflows (organization_id, name, trigger_type, graph) VALUES ($1, 'W', 'manual', '{"nodes": [], "edges": []}')""", organization.Id));
        Assert.Equal("graph_has_one_start", failure.ConstraintName);
    }
}
