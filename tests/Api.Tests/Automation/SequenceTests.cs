using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using Npgsql;

namespace AgentPlatform.Api.Tests.Automation;

public sealed class SequenceTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task Steps_put_moved_and_taken_away_stay_counted_without_gaps()
    {
        var (organization, sequence) = await NewSequence();
        var a = await Add(organization, sequence, "A");
        var c = await Add(organization, sequence, "C");
        var b = await Add(organization, sequence, "B", 2);
        Assert.Equal("1A 2B 3C", await Order(organization, sequence));

        await (await organization.Owner.Patch($"/v1/sequence-steps/{c}", new { stepOrder = 1 }, "*")).Json();
        Assert.Equal("1C 2A 3B", await Order(organization, sequence));
        await (await organization.Owner.Patch($"/v1/sequence-steps/{c}", new { stepOrder = 3 }, "*")).Json();
        Assert.Equal("1A 2B 3C", await Order(organization, sequence));

        Assert.Equal(HttpStatusCode.NoContent, (await organization.Owner.DeleteAsync($"/v1/sequence-steps/{a}")).StatusCode);
        Assert.Equal("1B 2C", await Order(organization, sequence));
        Assert.Equal(["/stepOrder"], (await (await organization.Owner.PostAsJsonAsync("/v1/sequence-steps", new { sequenceId = sequence, actionType = "send_message", template = "D", stepOrder = 4 })).Problem(ProblemType.Validation)).Fields());
        Assert.Equal(["/stepOrder"], (await (await organization.Owner.Patch($"/v1/sequence-steps/{b}", new { stepOrder = 3 }, "*")).Problem(ProblemType.Validation)).Fields());
        Assert.Equal(2, (await (await organization.Owner.GetAsync($"/v1/sequences/{sequence}")).Json())["stepCount"]!.GetValue<int>());
    }

    [Fact]
    public async Task Steps_that_are_added_and_removed_at_the_same_time_stay_counted_without_gaps()
    {
        var (organization, sequence) = await NewSequence();
        var first = await Task.WhenAll(Enumerable.Range(0, 6).Select(number => Add(organization, sequence, $"{number}")));
        await Task.WhenAll(first.Take(3).Select(id => organization.Owner.DeleteAsync($"/v1/sequence-steps/{id}"))
            .Concat(Enumerable.Range(6, 6).Select(number => organization.Owner.PostAsJsonAsync("/v1/sequence-steps", new { sequenceId = sequence, actionType = "send_message", template = $"{number}", stepOrder = 1 })))
            .Concat(first.Skip(3).Select(id => organization.Owner.Patch($"/v1/sequence-steps/{id}", new { stepOrder = 2 }, "*"))));
        Assert.Equal(Enumerable.Range(1, 9), (await Steps(organization, sequence)).Select(step => step["stepOrder"]!.GetValue<int>()));
    }

    [Fact]
    public async Task The_database_itself_takes_no_gap()
    {
        var (organization, sequence) = await NewSequence();
        await Add(organization, sequence, "A");
        var failure = await Assert.ThrowsAsync<PostgresException>(() => organization.Execute(
            "INSERT INTO sequence_steps (organization_id, sequence_id, step_order, action_type, template) VALUES ($1, $2, 3, 'send_message', 'C')", organization.Id, sequence));
        Assert.Equal("steps_are_counted_without_gaps", failure.ConstraintName);
        failure = await Assert.ThrowsAsync<PostgresException>(() => organization.Execute(
            "INSERT INTO sequence_steps (organization_id, sequence_id, step_order, action_type) VALUES ($1, $2, 2, 'send_message')", organization.Id, sequence));
        Assert.Equal("step_has_what_its_action_needs", failure.ConstraintName);
    }

    [Theory]
    [InlineData("""{"actionType":"send_message"}""", "/template")]
    [InlineData("""{"actionType":"send_message","template":"Hello","webhookUrl":"https://example.com/"}""", "/webhookUrl")]
    [InlineData("""{"actionType":"send_message","template":"{{nobody.knows}}"}""", "/template")]
    [InlineData("""{"actionType":"send_email"}""", "/template")]
    [InlineData("""{"actionType":"create_task","taskDescription":"Call"}""", "/taskTitle")]
    [InlineData("""{"actionType":"webhook"}""", "/webhookUrl")]
    [InlineData("""{"actionType":"webhook","webhookUrl":"http://127.0.0.1/"}""", "/webhookUrl")]
    [InlineData("""{"actionType":"ai_response"}""", "/aiPrompt")]
    [InlineData("""{"actionType":"wait"}""", "/delayMinutes")]
    public async Task A_step_has_what_its_action_needs_and_no_more(string step, string field)
    {
        var (organization, sequence) = await NewSequence();
        var body = JsonNode.Parse(step)!.AsObject();
        body["sequenceId"] = sequence.ToString();
        Assert.Equal([field], (await (await organization.Owner.PostAsJsonAsync("/v1/sequence-steps", body)).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task A_template_that_a_step_sends_is_not_deleted()
    {
        var (organization, sequence) = await NewSequence();
        var template = (await organization.Create("email-templates", new { name = "Welcome", subject = "Hello", bodyText = "Hello." })).Id();
        await organization.Create("sequence-steps", new { sequenceId = sequence, actionType = "send_email", emailTemplateId = template });
        await (await organization.Owner.DeleteAsync($"/v1/email-templates/{template}")).Problem(ProblemType.Conflict);
        Assert.Equal(HttpStatusCode.NoContent, (await organization.Owner.DeleteAsync($"/v1/sequences/{sequence}")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await organization.Owner.DeleteAsync($"/v1/email-templates/{template}")).StatusCode);
    }

    private async Task<(TestOrganization Organization, Guid Sequence)> NewSequence()
    {
        var organization = await app.NewOrganization();
        return (organization, (await organization.Create("sequences", new { name = "Follow-up", triggerType = "lead_created" })).Id());
    }

    private static async Task<Guid> Add(TestOrganization organization, Guid sequence, string text, int? place = null)
    {
        var body = new JsonObject { ["sequenceId"] = sequence.ToString(), ["actionType"] = "send_message", ["template"] = text };
        if (place is not null)
        {
            body["stepOrder"] = place;
        }
        return (await organization.Create("sequence-steps", body)).Id();
    }

    private static async Task<JsonObject[]> Steps(TestOrganization organization, Guid sequence) =>
        (await (await organization.Owner.GetAsync($"/v1/sequence-steps?sequenceId={sequence}")).Json()).Items();

    private static async Task<string> Order(TestOrganization organization, Guid sequence) =>
        string.Join(' ', (await Steps(organization, sequence)).Select(step => $"{step["stepOrder"]}{step.Text("template")}"));
}
