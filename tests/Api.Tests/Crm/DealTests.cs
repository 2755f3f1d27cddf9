using System.Net.Http.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Crm;

public sealed class DealTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task A_deal_is_moved_won_and_opened_again_and_its_history_says_who_and_why()
    {
        var organization = await app.NewOrganization();
        var deal = await NewDeal(organization);
        Assert.Equal(("prospecting", 10), (deal.Text("stage"), deal["probability"]!.GetValue<int>()));
        var moved = await (await Act(organization, deal.Id(), "move", new { stage = "negotiation", probability = 80, notes = "They like it." })).Json();
        Assert.Equal(("negotiation", 80), (moved.Text("stage"), moved["probability"]!.GetValue<int>()));
        var won = await (await Act(organization, deal.Id(), "win", new { wonReason = "Price", dealValue = 1200.5, actualCloseDate = "2026-05-20" })).Json();
        Assert.Equal(("closed_won", "Price", "2026-05-20", 100, 1200.5m), (won.Text("stage"), won.Text("wonReason"), won.Text("actualCloseDate"), won["probability"]!.GetValue<int>(), won["dealValue"]!.GetValue<decimal>()));

        var refused = await (await Act(organization, deal.Id(), "lose", new { lostReason = "Budget" })).Problem(ProblemType.Conflict);
        Assert.Equal(["/stage"], refused.Fields());
        Assert.Contains("closed_won", refused.Text("detail"), StringComparison.Ordinal);
        var reopened = await (await Act(organization, deal.Id(), "move", new { stage = "proposal" })).Json();
        Assert.Null(reopened["wonReason"]);
        Assert.Null(reopened["actualCloseDate"]);

        var history = (await (await organization.Owner.GetAsync($"/v1/deal-stage-changes?dealId={deal.Id()}&sort=createdAt")).Json()).Items();
        Assert.Equal(["prospecting", "negotiation", "closed_won", "proposal"], history.Select(change => change.Text("toStage")));
        Assert.All(history, change => Assert.Equal(organization.OwnerId, change["changedBy"]!.GetValue<Guid>()));
        Assert.Equal("They like it.", history[1].Text("notes"));
        var log = (await (await organization.Owner.GetAsync($"/v1/activity-logs?entityId={deal.Id()}&sort=createdAt")).Json()).Items();
        Assert.Equal(["deal.created", "deal.moved", "deal.won", "deal.moved"], log.Select(row => row.Text("actionType")));
    }

    [Fact]
    public async Task Reasons_are_required_however_a_deal_is_closed()
    {
        var organization = await app.NewOrganization();
        var deal = await NewDeal(organization);
        var path = $"/v1/deals/{deal.Id()}";
        Assert.Equal(["/wonReason"], (await (await Act(organization, deal.Id(), "win", new { })).Problem(ProblemType.Validation)).Fields());
        Assert.Equal(["/lostReason"], (await (await Act(organization, deal.Id(), "lose", new { lostReason = " " })).Problem(ProblemType.Validation)).Fields());
        Assert.Equal(["/wonReason"], (await (await organization.Owner.Patch(path, new { stage = "closed_won" }, "*")).Problem(ProblemType.Validation)).Fields());
        Assert.Equal(["/lostReason"], (await (await organization.Owner.Patch(path, new { stage = "closed_lost" }, "*")).Problem(ProblemType.Validation)).Fields());
        Assert.Equal(["/probability"], (await (await organization.Owner.Patch(path, new { probability = 101 }, "*")).Problem(ProblemType.Validation)).Fields());
        var lost = await (await organization.Owner.Patch(path, new { stage = "closed_lost", lostReason = "Budget", competitor = "Other" }, "*")).Json();
        Assert.Equal(0, lost["probability"]!.GetValue<int>());
        Assert.Equal(["/probability"], (await (await organization.Owner.Patch(path, new { probability = 5 }, "*")).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task An_action_is_a_change_like_any_other()
    {
        var organization = await app.NewOrganization();
        var deal = await NewDeal(organization);
        using var stale = new HttpRequestMessage(HttpMethod.Post, $"/v1/deals/{deal.Id()}/win") { Content = JsonContent.Create(new { wonReason = "Price" }) };
        stale.Headers.TryAddWithoutValidation("If-Match", "\"7\"");
        await (await organization.Owner.SendAsync(stale)).Problem(ProblemType.VersionConflict);
        var won = await Act(organization, deal.Id(), "win", new { wonReason = "Price" });
        Assert.Equal("\"2\"", won.Headers.ETag?.Tag);
        await (await (await organization.Member(Role.Viewer)).PostAsJsonAsync($"/v1/deals/{deal.Id()}/move", new { stage = "proposal" })).Problem(ProblemType.Forbidden);
        await (await Act(await app.NewOrganization(), deal.Id(), "move", new { stage = "proposal" })).Problem(ProblemType.NotFound);
    }

    [Fact]
    public async Task A_product_of_a_deal_must_be_the_organizations_own()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        var foreign = (await other.Create("products", new { name = "Tent" })).Id();
        var client = (await organization.Create("clients", new { firstName = "Anna" })).Id();
        var refused = await (await organization.Owner.PostAsJsonAsync("/v1/deals", new { clientId = client, name = "Deal", products = new[] { new { productId = foreign, name = "Tent", quantity = 1, unitPrice = 5 } } })).Problem(ProblemType.Validation);
        Assert.Equal(["/products/0/productId"], refused.Fields());
        var own = (await organization.Create("products", new { name = "Tent" })).Id();
        var deal = await organization.Create("deals", new { clientId = client, name = "Deal", products = new[] { new { productId = own, name = "Tent", quantity = 1.5, unitPrice = 5 } } });
        Assert.Equal(1.5m, deal["products"]![0]!["quantity"]!.GetValue<decimal>());
    }

    private static async Task<System.Text.Json.Nodes.JsonObject> NewDeal(TestOrganization organization) =>
        await organization.Create("deals", new { clientId = (await organization.Create("clients", new { firstName = "Anna" })).Id(), name = "Tour for two" });

    private static Task<HttpResponseMessage> Act(TestOrganization organization, Guid id, string action, object body) => organization.Owner.PostAsJsonAsync($"/v1/deals/{id}/{action}", body);
}
