using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Data.Secrets;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests;

public sealed class ChannelTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task A_whatsapp_channel_keeps_its_credentials_sealed_and_to_itself()
    {
        var organization = await app.NewOrganization();
        var phoneNumberId = Random.Shared.NextInt64().ToString(System.Globalization.CultureInfo.InvariantCulture);
        var answer = await organization.Owner.PostAsJsonAsync("/v1/channels", new
        {
            name = "WhatsApp",
            platform = "whatsapp",
            platformChannelId = phoneNumberId,
            credentials = new { appSecret = "s3cret-app", verifyToken = "s3cret-verify", accessToken = "s3cret-access" },
            settings = new { apiBaseUrl = "https://graph.example.com" },
        });
        var channel = await answer.Json(HttpStatusCode.Created);
        Assert.DoesNotContain("s3cret", channel.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(["accessToken", "appSecret", "verifyToken"], channel["credentialsSet"]!.AsArray().Select(name => name!.GetValue<string>()));
        Assert.Equal("https://graph.example.com", channel["settings"]!["apiBaseUrl"]!.GetValue<string>());

        await (await organization.Owner.Patch($"/v1/channels/{channel.Id()}", new { credentials = new { accessToken = "s3cret-new" } }, "\"1\"")).Json();
        var stored = await app.Database.ScalarAsAdminAsync<string>($"SELECT credentials FROM channels WHERE id = '{channel.Id()}'");
        var opened = app.Services.GetRequiredService<SecretBox>().OpenCredentials(organization.Id, stored);
        Assert.Equal(("s3cret-app", "s3cret-new"), (opened["appSecret"], opened["accessToken"]));
        var log = await app.Database.ScalarAsAdminAsync<string>($"SELECT string_agg(coalesce(before::text, '') || coalesce(after::text, ''), ' ') FROM activity_logs WHERE entity_id = '{channel.Id()}'");
        Assert.DoesNotContain("s3cret", log, StringComparison.Ordinal);
        Assert.Contains("\"credentials\": \"***\"", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_telegram_channel_needs_its_two_credentials()
    {
        var organization = await app.NewOrganization();
        var problem = await (await organization.Owner.PostAsJsonAsync("/v1/channels", new { name = "T", platform = "telegram" })).Problem(ProblemType.Validation);
        Assert.Equal(["/credentials/botToken", "/credentials/secretToken"], problem.Fields());
        var number = Random.Shared.NextInt64();
        var channel = await organization.Create("channels", new { name = "T", platform = "telegram", credentials = new { botToken = $"{number}:abc", secretToken = "hook" } });
        Assert.Equal($"{number}", channel.Text("platformChannelId"));
        problem = await (await organization.Owner.Patch($"/v1/channels/{channel.Id()}", new { credentials = new { appSecret = "x" } }, "*")).Problem(ProblemType.Validation);
        Assert.Equal(["/credentials/appSecret"], problem.Fields());
    }

    [Fact]
    public async Task A_web_channel_comes_with_a_widget()
    {
        var organization = await app.NewOrganization();
        var channel = await organization.Create("channels", new { name = "Web", platform = "web" });
        var widget = await (await organization.Owner.GetAsync($"/v1/web-widgets/{channel.Id()}")).Json();
        Assert.Equal("#3B82F6", widget.Text("primaryColor"));
        widget = await (await organization.Owner.Patch($"/v1/web-widgets/{channel.Id()}", new { allowedDomains = new[] { "example.com" } }, "\"1\"")).Json();
        Assert.Equal("example.com", widget["allowedDomains"]![0]!.GetValue<string>());
    }

    [Fact]
    public async Task A_keyword_action_names_a_collection_of_its_channel()
    {
        var organization = await app.NewOrganization();
        var channel = (await organization.Create("channels", new { name = "Web", platform = "web" })).Id();
        var problem = await (await organization.Owner.PostAsJsonAsync("/v1/keyword-actions", new { channelId = channel, keyword = "info", actionType = "SEND_COLLECTION", collectionId = "x" })).Problem(ProblemType.Validation);
        Assert.Equal(["/collectionId"], problem.Fields());
        await organization.Create("content-collections", new { channelId = channel, collectionId = "x", name = "X", items = new[] { "one", "two" } });
        await organization.Create("keyword-actions", new { channelId = channel, keyword = "info", actionType = "SEND_COLLECTION", collectionId = "x" });
    }

    [Fact]
    public async Task A_key_for_a_provider_goes_in_and_never_comes_out()
    {
        var organization = await app.NewOrganization();
        var credential = await organization.Create("llm-credentials", new { provider = "openai", apiKey = "s3cret-key" });
        Assert.DoesNotContain("s3cret", credential.ToJsonString(), StringComparison.Ordinal);
        var stored = await app.Database.ScalarAsAdminAsync<string>($"SELECT api_key FROM llm_credentials WHERE id = '{credential.Id()}'");
        Assert.Equal("s3cret-key", app.Services.GetRequiredService<SecretBox>().OpenApiKey(organization.Id, stored!));
    }
}
