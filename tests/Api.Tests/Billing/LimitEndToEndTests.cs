using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Billing;

/// <summary>
/// What a plan's limits do, seen from outside alone: customers write by webhook, answers leave to the emulated platform, everything else is asked of the API.
/// </summary>
public sealed class LimitEndToEndTests(LimitApp app) : IClassFixture<LimitApp>
{
    private const string Anna = "15550000001";
    private const string Ben = "15550000002";

    [Fact]
    public async Task At_80_percent_admins_are_warned_at_100_the_AI_stops_and_with_a_higher_quota_it_answers_what_has_waited()
    {
        var (organization, line) = await app.NewTenant(new { tokenQuota = 5 * LimitApp.TokensOfAnAnswer });
        var member = await organization.Member(Role.Member);
        for (var answer = 1; answer <= 3; answer++)
        {
            await Answered(line, Anna, $"Question {answer}");
        }
        Assert.Empty(await Told(organization.Owner));

        // 400 of 500.
        await Answered(line, Anna, "Question 4");
        await Eventually.Holds(async () => (await Told(organization.Owner)).Length > 0);
        var warning = Assert.Single(await Told(organization.Owner));
        Assert.Equal(("quota_warning", "400 of 500 tokens are used"), (warning.Text("type"), warning.Text("title")));
        Assert.Empty(await Told(member));

        // 500 of 500: the last that is answered.
        await Answered(line, Anna, "Question 5");
        await Eventually.Holds(async () => (await Told(organization.Owner)).Length > 1);
        var asked = app.Model.Count;

        // The conversation is hot; nothing is answered from here on, and everything is kept.
        await line.Write(Anna, "Question 6");
        await line.Write(Anna, "Question 7");
        await line.Write(Ben, "I am new");
        var inbox = await Inbox(organization);
        Assert.Equal(["I am new", "Question 7"], inbox.Select(conversation => conversation["contact"]!["lastMessagePreview"]!.GetValue<string>()));
        Assert.All(inbox, conversation => Assert.Equal(("escalated", "ai"), (conversation.Text("status"), conversation.Text("managedBy"))));
        var messages = (await (await organization.Owner.GetAsync($"/v1/conversations/{inbox[1].Id()}/messages")).Json()).Items();
        Assert.Equal(["Question 6", "Question 7"], messages.Where(message => message.Text("direction") == "inbound").TakeLast(2).Select(message => message.Text("textContent")));
        Assert.Equal(5, messages.Count(message => message.Text("direction") == "outbound"));
        // Whoever handles conversations hears of each once; admins of the limit once.
        Assert.Equal(["conversation_escalated", "conversation_escalated"], (await Told(member)).Select(told => told.Text("type")));
        Assert.Equal(["quota_warning", "quota_warning"], (await Told(organization.Owner)).Select(told => told.Text("type")).Where(type => type == "quota_warning"));
        Assert.Equal(["limit", "warning"], (await (await organization.Owner.GetAsync("/v1/usage-alerts")).Json()).Items().Select(alert => alert.Text("level")));
        var usage = await (await organization.Owner.GetAsync("/v1/usage")).Json();
        Assert.Equal((false, "token_quota", 500L), (usage["mayRun"]!.GetValue<bool>(), usage.Text("stopReason"), usage["tokens"]!["used"]!.GetValue<long>()));
        Assert.Equal(asked, app.Model.Count);

        // More was agreed: both are answered, Anna's two questions in one answer.
        await (await (await app.Root()).Patch($"/v1/organizations/{organization.Id}/subscription", new { tokenQuota = 5000 }, "*")).Json();
        Assert.Equal([Anna, Ben], new[] { (await line.NextSent()).Recipient, (await line.NextSent()).Recipient }.Order());
        await Eventually.Holds(async () => (await Inbox(organization)).All(conversation => conversation.Text("status") == "active"));
        Assert.Equal(asked + 2, app.Model.Count);
        await Answered(line, Anna, "Question 8");
        await AssertCounted(organization, answers: 8, conversations: 2);
    }

    [Fact]
    public async Task Another_plan_lets_the_AI_go_on_at_once_and_whom_a_person_took_over_stays_with_that_person()
    {
        var (organization, line) = await app.NewTenant(new { tokenQuota = 0 });
        await line.Write(Anna, "Hello");
        await line.Write(Ben, "Hello");
        var inbox = await Inbox(organization);
        Assert.All(inbox, conversation => Assert.Equal("escalated", conversation.Text("status")));
        await (await organization.Owner.PostAsync($"/v1/conversations/{inbox[0].Id()}/takeover", null)).Json();
        var larger = $"plan-{Guid.NewGuid():N}";
        await (await (await app.Root()).PostAsJsonAsync("/v1/pricing-plans", new { code = larger, tier = "enterprise", name = "Larger" })).Json(System.Net.HttpStatusCode.Created);
        await (await (await app.Root()).Patch($"/v1/organizations/{organization.Id}/subscription", new { plan = larger, tokenQuota = (long?)null }, "*")).Json();
        Assert.Equal(Anna, (await line.NextSent()).Recipient);
        await Answered(line, Anna, "Thank you");
        Assert.DoesNotContain(app.Graph.Messages, message => message.PhoneNumberId == line.Number && message.Recipient == Ben);
        await AssertCounted(organization, answers: 2, conversations: 1);
    }

    [Fact]
    public async Task Past_due_the_AI_goes_on_until_the_grace_is_over_and_again_when_the_invoice_is_paid()
    {
        var (organization, line) = await app.NewTenant(price: 99);
        var root = await app.Root();
        var invoice = Assert.Single((await (await organization.Owner.GetAsync("/v1/billing-invoices?status=pending")).Json()).Items()).Id();
        await (await root.PostAsJsonAsync($"/v1/organizations/{organization.Id}/billing-invoices/{invoice}/settle", new { status = "failed" })).Json();
        await Answered(line, Anna, "Question 1");
        Assert.Equal(["subscription_past_due"], (await Told(organization.Owner)).Select(told => told.Text("type")));

        // One day of grace.
        app.Clock.Advance(TimeSpan.FromDays(1));
        var owner = await organization.SignIn(organization.OwnerEmail);
        await Eventually.Holds(async () => (await (await owner.GetAsync("/v1/subscription")).Json()).Text("status") == "unpaid");
        await line.Write(Anna, "Question 2");
        Assert.Equal("escalated", Assert.Single(await Inbox(organization)).Text("status"));
        Assert.Equal("unpaid", (await (await owner.GetAsync("/v1/usage")).Json()).Text("stopReason"));
        Assert.Equal(["conversation_escalated", "subscription_past_due", "subscription_past_due"], (await Told(owner)).Select(told => told.Text("type")).Order());

        await (await (await app.Root()).PostAsJsonAsync($"/v1/organizations/{organization.Id}/billing-invoices/{invoice}/settle", new { status = "paid" })).Json();
        Assert.Equal(("You said: Question 2", Anna), await Next(line));
        Assert.Equal("active", (await (await owner.GetAsync("/v1/subscription")).Json()).Text("status"));
        await AssertCounted(organization, answers: 2, conversations: null);
    }

    [Fact]
    public async Task With_a_new_month_the_conversations_that_waited_are_answered_though_nobody_writes()
    {
        var (organization, line) = await app.NewTenant(new { conversationLimit = 1 });
        await Answered(line, Anna, "I count");
        await line.Write(Ben, "I wait");
        Assert.Equal(["escalated", "active"], (await Inbox(organization)).Select(conversation => conversation.Text("status")));
        // Whoever counts already goes on.
        await Answered(line, Anna, "Still there?");

        app.Clock.Advance(LimitApp.NextMonth(app.Clock.GetUtcNow()) - app.Clock.GetUtcNow());
        Assert.Equal(("You said: I wait", Ben), await Next(line));
        // Anna would be the second of the new month.
        await line.Write(Anna, "And now?");
        Assert.Equal("escalated", (await Inbox(organization))[0].Text("status"));
        await AssertCounted(organization, answers: 3, conversations: 2);
    }

    [Fact]
    public async Task A_suspended_organization_takes_in_what_customers_write_and_answers_it_when_it_is_reactivated()
    {
        var organization = await app.NewOrganization();
        var agent = (await organization.Create("agents", new { name = "Guide", status = "active", responseDelaySeconds = 0 })).Id();
        var line = await app.NewLine(organization, agent);
        await line.Write(Anna, "Hello");
        Assert.Equal(Anna, (await line.NextSent()).Recipient);
        var root = await app.Root();
        await (await root.PostAsJsonAsync($"/v1/organizations/{organization.Id}/suspend", new { reason = "Unpaid for months" })).Json();
        await Eventually.Holds(async () => (await (await root.GetAsync($"/v1/organizations/{organization.Id}/usage")).Json())["stopReason"]?.GetValue<string>() == "suspended");
        // Every silo has heard of it once the first message isn't answered any more.
        await Eventually.Holds(async () =>
        {
            await line.Write(Ben, "Anybody there?");
            return await organization.Query<long>("SELECT count(*) FROM conversations WHERE organization_id = $1 AND status = 'escalated' AND managed_by = 'ai'", organization.Id) == 1;
        });
        var sent = app.Graph.Messages.Count(message => message.PhoneNumberId == line.Number);
        await (await root.PostAsJsonAsync($"/v1/organizations/{organization.Id}/reactivate", new { reason = "Paid" })).Json();
        await Eventually.Holds(() => Task.FromResult(app.Graph.Messages.Count(message => message.PhoneNumberId == line.Number) > sent));
        Assert.Equal(0, await organization.Query<long>("SELECT count(*) FROM conversations WHERE organization_id = $1 AND status = 'escalated' AND managed_by = 'ai'", organization.Id));
    }

    private static async Task Answered(WhatsAppLine line, string from, string text)
    {
        await line.Write(from, text);
        Assert.Equal(($"You said: {text}", from), await Next(line));
    }

    private static async Task<(string Text, string Recipient)> Next(WhatsAppLine line)
    {
        var sent = await line.NextSent();
        return (sent.Text!, sent.Recipient);
    }

    private static async Task<JsonObject[]> Told(HttpClient client) => (await (await client.GetAsync("/v1/notifications")).Json()).Items();

    /// <summary>As the owner sees it, signed in again: the clock may have left his tokens behind.</summary>
    private static async Task<JsonObject[]> Inbox(TestOrganization organization) =>
        (await (await (await organization.SignIn(organization.OwnerEmail)).GetAsync("/v1/conversations")).Json()).Items();

    /// <summary>What was counted is what was answered, and what a recount from the turns says.</summary>
    private static async Task AssertCounted(TestOrganization organization, int answers, int? conversations)
    {
        async Task<string> Sums(string source) => await organization.Query<string>(
            $"SELECT concat_ws(' ', sum(agent_responses), sum(tokens_consumed), sum(interactions), sum(conversations)) FROM {source}", organization.Id);
        string counted = "";
        await Eventually.Holds(async () =>
        {
            counted = await Sums("usage_daily WHERE organization_id = $1");
            return counted.StartsWith($"{answers} {answers * LimitApp.TokensOfAnAnswer} {answers} ", StringComparison.Ordinal);
        });
        Assert.Equal(await Sums("recount_usage($1, '2000-01-01', '2999-12-31')"), counted);
        if (conversations is { } wanted)
        {
            Assert.EndsWith($" {wanted}", counted, StringComparison.Ordinal);
        }
    }
}
