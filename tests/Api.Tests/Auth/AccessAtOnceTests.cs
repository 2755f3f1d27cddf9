using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Tests.TestApp;
using Microsoft.AspNetCore.Builder;

namespace AgentPlatform.Api.Tests.Auth;

/// <summary>What is answered counts for the very next request, in a process that hears nothing from Postgres: what it remembers, it must forget by itself.</summary>
public sealed class AccessAtOnceTests(DeafApp app) : IClassFixture<DeafApp>
{
    private const string NewPassword = "eight blue elephants";

    [Fact]
    public async Task A_suspension_a_lower_role_and_ended_sessions_count_for_the_next_request()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Member);
        var member = await SignedIn(organization, email);
        await Change(new { role = "viewer" });
        Assert.Equal(HttpStatusCode.Forbidden, (await member.PostAsJsonAsync("/v1/clients", new { firstName = "Ada" })).StatusCode);
        await Change(new { status = "suspended" });
        Assert.Equal(HttpStatusCode.Unauthorized, (await member.GetAsync("/v1/clients")).StatusCode);

        await Change(new { status = "active" });
        var (again, other) = (await SignedIn(organization, email), await SignedIn(organization, email));
        await (await again.PostAsync("/v1/sessions/end-others", null)).Json();
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.GetAsync("/v1/clients")).StatusCode);
        other = await SignedIn(organization, email);
        Assert.Equal(HttpStatusCode.NoContent, (await again.PostAsJsonAsync("/v1/auth/change-password", new { currentPassword = TestOrganization.Password, newPassword = NewPassword })).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.GetAsync("/v1/clients")).StatusCode);
        await (await organization.Owner.PostAsync($"/v1/members/{id}/end-sessions", null)).Json();
        Assert.Equal(HttpStatusCode.Unauthorized, (await again.GetAsync("/v1/clients")).StatusCode);

        async Task Change(object change) => await (await organization.Owner.Patch($"/v1/members/{id}", change, "*")).Json();
    }

    [Fact]
    public async Task A_changed_rotated_or_deleted_key_counts_for_the_next_request()
    {
        var organization = await app.NewOrganization();
        var made = await organization.Create("api-keys", new { name = "Website", role = "member", scopes = new[] { "clients:read", "tags:read" } });
        var path = $"/v1/api-keys/{made.Id()}";
        var key = app.Client(made.Text("key"));
        await (await key.GetAsync("/v1/tags")).Json();
        await (await organization.Owner.Patch(path, new { scopes = new[] { "clients:read" } }, "*")).Json();
        Assert.Equal(HttpStatusCode.Forbidden, (await key.GetAsync("/v1/tags")).StatusCode);
        var rotated = app.Client((await (await organization.Owner.PostAsJsonAsync($"{path}/rotate", new { overlapHours = 0 })).Json()).Text("key"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await key.GetAsync("/v1/clients")).StatusCode);
        await (await rotated.GetAsync("/v1/clients")).Json();
        Assert.Equal(HttpStatusCode.NoContent, (await organization.Owner.DeleteAsync(path)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await rotated.GetAsync("/v1/clients")).StatusCode);
    }

    private static async Task<HttpClient> SignedIn(TestOrganization organization, string email)
    {
        var client = await organization.SignIn(email);
        await (await client.GetAsync("/v1/clients")).Json();
        return client;
    }
}

/// <summary>An API that doesn't listen to Postgres.</summary>
public sealed class DeafApp : ApiApp
{
    protected override void Configure(WebApplicationBuilder builder)
    {
        base.Configure(builder);
        var listener = Assert.Single(builder.Services, service => service.ImplementationType?.Name == "ConfigurationChangesListener");
        builder.Services.Remove(listener);
    }
}
