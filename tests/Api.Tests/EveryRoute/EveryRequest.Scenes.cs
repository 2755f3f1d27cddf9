using System.Net;
using System.Net.Http.Json;
using System.Text;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Tests.TestApp;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.EveryRoute;

internal sealed partial class EveryRequest
{
    private TestOrganization Organization => _populated.Organization;

    private HttpClient Owner => _populated.Organization.Owner;

    /// <summary>Makes what has to be there for the route to have something to do: most take what the organization has.</summary>
    private async Task<Scene> Prepare(ApiOperation operation) => operation.Id switch
    {
        "completeTour" or "cancelTour" => new() { Id = await NewTour() },
        "reopenTour" => new() { Id = await After(await NewTour(), "tours", "cancel") },
        "createClientTour" => new() { Body = [("clientId", await NewClient())] },
        "createClientProduct" => new() { Body = [("clientId", await NewClient())] },
        "bookClientTour" => new() { Id = await NewBooking("interested") },
        "confirmClientTour" or "cancelClientTour" => new() { Id = await NewBooking("booked") },
        "reopenClientTour" => new() { Id = await After(await NewBooking("booked"), "client-tours", "cancel") },
        "winDeal" or "loseDeal" or "moveDeal" => new() { Id = (await Organization.Create("deals", new { clientId = _populated.Ids["clients"], name = "Deal", stage = "qualification" })).Id() },
        "shipOrder" or "cancelOrder" => new() { Id = await NewOrder() },
        "deliverOrder" => new() { Id = await After(await NewOrder(), "orders", "ship") },
        "refundOrder" => new() { Id = await After(await After(await NewOrder(), "orders", "ship"), "orders", "deliver") },
        "completeActivity" or "cancelActivity" or "assignActivity" => new() { Id = await NewActivity() },
        "reopenActivity" => new() { Id = await After(await NewActivity(), "activities", "complete") },
        "createWebWidget" => await WithoutWidget(),
        "createExperimentVariant" => new() { Body = [("promptVariantId", (await Organization.Create("prompt-variants", new { agentType = "sales", name = Word(), prompt = "Sell." })).Id())] },
        "createCrmCredential" => await WithoutRow("DELETE FROM crm_credentials WHERE organization_id = $1"),
        "updateCrmCredential" or "deleteCrmCredential" => new() { Id = await _app.Database.ScalarAsAdminAsync<Guid>($"SELECT id FROM crm_credentials WHERE organization_id = '{Organization.Id}'") },
        "createSubscription" or "createOrganizationSubscription" => await WithoutRow("DELETE FROM subscriptions WHERE organization_id = $1"),
        "updatePricingPlan" or "deletePricingPlan" => new() { Id = (await Organization.Create("pricing-plans", new { code = Word(), tier = "starter", name = "Plan" })).Id() },
        "getPricingPlan" => new() { Id = await _app.Database.ScalarAsAdminAsync<Guid>("SELECT id FROM pricing_plans WHERE code = 'everything'") },
        "createAgentIntegration" => new() { Body = [("agentId", (await Organization.Create("agents", new { name = Word() })).Id())] },
        // What the organization's own client has is deleted later.
        "eraseClient" or "deleteClient" => new() { Id = await NewClient() },
        "eraseContact" => new() { Id = await NewContact() },
        "importResource" => new() { Body = [("fileId", await NewFile("clients.csv", "email,assignedPartner.contactEmail\nguide@example.com,\n"))] },
        "cancelJob" => new() { Id = await NewJob("pending", "NULL") },
        "retryJob" => new() { Id = await NewJob("failed", "now()") },
        "deleteOrganization" => new() { Body = [("name", (await (await Owner.GetAsync("/v1/organization")).Json()).Text("name"))] },
        "transferOwnership" => new() { Body = [("userId", (await Organization.AddUser(Role.Admin)).Id), ("password", TestOrganization.Password)] },
        "suspendOrganization" or "enterOrganization" => new() { Id = (await _app.NewOrganization()).Id },
        "reactivateOrganization" => new() { Id = await After((await _app.NewOrganization()).Id, "organizations", "suspend", new { reason = "Unpaid" }) },
        _ when operation.Path.StartsWith("/v1/web/", StringComparison.Ordinal) => await AsVisitor(operation),
        _ => await AsPerson(operation),
    };

    /// <summary>What people do about their own access.</summary>
    private async Task<Scene> AsPerson(ApiOperation operation)
    {
        switch (operation.Id)
        {
            case "logout":
                return new() { Client = await Organization.SignIn(Organization.OwnerEmail) };
            case "leaveOrganization":
                var (leaving, leavingEmail) = await Organization.AddUser(Role.Member);
                return new() { Client = await Organization.SignIn(leavingEmail), UserId = leaving };
            case "refresh":
                return new() { Body = [("refreshToken", (await (await TestOrganization.Login(_app.Anonymous, Organization.OwnerEmail, TestOrganization.Password)).Json()).Text("refreshToken"))] };
            case "readInvitationLink" or "acceptInvitation":
                return new() { Body = [("token", await Invitation(NewEmail()))] };
            case "joinOrganization":
                var guest = await _app.NewOrganization();
                return new() { Client = guest.Owner, UserId = guest.OwnerId, Body = [("token", await Invitation(guest.OwnerEmail))] };
            case "resetPassword":
                return new() { Body = [("token", await Reset((await Organization.AddUser(Role.Member)).Email))] };
            default:
                return new();
        }
    }

    private async Task<Scene> AsVisitor(ApiOperation operation) => operation.Id is "createVisitor" or "getWebChannelConfig"
        ? new()
        : new() { Client = _app.Client((await (await _app.Anonymous.PostAsJsonAsync($"/v1/web/{_populated.Ids["channels"]}/visitors", new { })).Json(HttpStatusCode.Created)).Text("token")) };

    private async Task<Guid> NewTour() => (await Organization.Create("tours", new { productId = _populated.Ids["products"], startDate = "2030-01-01T00:00:00Z", endDate = "2030-01-02T00:00:00Z" })).Id();

    private async Task<Guid> NewClient() => (await Organization.Create("clients", new { firstName = "Ben" })).Id();

    private async Task<Guid> NewBooking(string status) => (await Organization.Create("client-tours", new { clientId = await NewClient(), tourId = await NewTour(), status })).Id();

    private async Task<Guid> NewOrder() => (await Organization.Create("orders", new { clientId = _populated.Ids["clients"], orderNumber = Word() })).Id();

    private async Task<Guid> NewActivity() => (await Organization.Create("activities", new { activityType = "call", subject = "Call" })).Id();

    private async Task<Guid> NewFile(string name, string content) =>
        (await (await Owner.PostAsync($"/v1/files?name={name}", new ByteArrayContent(Encoding.UTF8.GetBytes(content)))).Json(HttpStatusCode.Created)).Id();

    private async Task<Guid> NewContact()
    {
        var number = Digits();
        await _populated.Line.Write(number, "Hello");
        return await _app.Database.ScalarAsAdminAsync<Guid>($"SELECT id FROM contacts WHERE organization_id = '{Organization.Id}' AND platform_user_id = '{number}'");
    }

    /// <summary>A job that nobody takes up of itself.</summary>
    private async Task<Guid> NewJob(string status, string failedAt)
    {
        var id = Guid.CreateVersion7();
        await Organization.Execute(
            $"INSERT INTO jobs (id, organization_id, user_id, type, work, payload, status, failed_at, due_at) VALUES ($1, $2, $3, 'model_finetuning', 'finetuning_dataset', '{"{}"}', '{status}', {failedAt}, '2099-01-01Z')",
            id, Organization.Id, Organization.OwnerId);
        return id;
    }

    /// <summary>The thing, once an action of its own has taken it on.</summary>
    private async Task<Guid> After(Guid id, string resource, string action, object? body = null)
    {
        await (await Owner.PostAsJsonAsync($"/v1/{resource}/{id}/{action}", body ?? new { })).Json();
        return id;
    }

    private async Task<Scene> WithoutWidget()
    {
        var answer = await Owner.DeleteAsync($"/v1/web-widgets/{_populated.Ids["web-widgets"]}");
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        return new();
    }

    private async Task<Scene> WithoutRow(string sql)
    {
        await Organization.Execute(sql, Organization.Id);
        return new();
    }

    private async Task<string> Invitation(string email) => (await Organization.Create("invitations", new { email, role = "member" })).Text("token");

    /// <summary>Opens a reset as the sender of e-mails does; returns the link's token.</summary>
    private async Task<string> Reset(string email)
    {
        var id = Guid.CreateVersion7();
        var token = _app.Services.GetRequiredService<AccountLinks>().Resets.Make(id);
        await Organization.Execute("SELECT open_password_reset($1, $2, $3, now() + interval '1 hour')", id, email, LinkTokens.Hash(token));
        return token;
    }
}
