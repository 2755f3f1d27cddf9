using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Configuration;

/// <summary>A stored secret goes to no other server than the one that it was given for, and to name an account is not to have it.</summary>
public sealed class SecretAddressTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task A_key_of_a_model_is_asked_for_again_where_its_address_leads_elsewhere()
    {
        var organization = await app.NewOrganization();
        var made = await organization.Create("llm-credentials", new { provider = "openai_compatible", baseUrl = "https://models.example.com/v1", apiKey = "k" });
        await Holds(organization, $"/v1/llm-credentials/{made.Id()}", url => new { baseUrl = url }, url => new { baseUrl = url, apiKey = "again" }, "/apiKey");
        var own = await organization.Create("llm-credentials", new { provider = "openai", apiKey = "k" });
        Assert.Equal(["/apiKey"], (await (await organization.Owner.Patch($"/v1/llm-credentials/{own.Id()}", new { baseUrl = "https://evil.example.com" }, "*")).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task A_secret_of_an_integration_is_asked_for_again_where_its_address_leads_elsewhere()
    {
        var organization = await app.NewOrganization();
        var agent = await organization.Create("agents", new { name = "a" });
        var made = await organization.Create("agent-integrations", new { agentId = agent.Id(), kind = "webhook", name = "w", url = "https://models.example.com/v1", secret = "s" });
        await Holds(organization, $"/v1/agent-integrations/{made.Id()}", url => new { url }, url => new { url, secret = "again" }, "/secret");
        var without = await organization.Create("agent-integrations", new { agentId = agent.Id(), kind = "mcp", name = "m", url = "https://models.example.com/v1" });
        await (await organization.Owner.Patch($"/v1/agent-integrations/{without.Id()}", new { url = "https://other.example.com" }, "*")).Json();
    }

    [Theory]
    [InlineData("whatsapp", "accessToken")]
    [InlineData("telegram", "botToken")]
    public async Task A_token_of_a_channel_is_asked_for_again_where_its_address_leads_elsewhere(string platform, string token)
    {
        var organization = await app.NewOrganization();
        object credentials = platform == "whatsapp" ? new { appSecret = "s", verifyToken = "v", accessToken = "t" } : new { botToken = "12:t", secretToken = "s" };
        var made = await organization.Create("channels", new { name = "c", platform, platformChannelId = "12", credentials, settings = new { apiBaseUrl = "https://models.example.com/v1" } });
        object Again() => platform == "whatsapp" ? new { accessToken = "t2" } : new { botToken = "12:t2" };
        await Holds(organization, $"/v1/channels/{made.Id()}", url => new { settings = new { apiBaseUrl = url } }, url => new { settings = new { apiBaseUrl = url }, credentials = Again() }, $"/credentials/{token}");
    }

    [Fact]
    public async Task Nobody_keeps_a_number_from_its_owner_by_naming_it()
    {
        var (one, other) = (await app.NewOrganization(), await app.NewOrganization());
        object Channel(string secret) => new { name = "c", platform = "whatsapp", platformChannelId = "555000111", credentials = new { appSecret = secret, verifyToken = "v", accessToken = "t" } };
        await one.Create("channels", Channel("first"));
        await (await one.Owner.PostAsJsonAsync("/v1/channels", Channel("twice"))).Problem(ProblemType.Conflict);
        await other.Create("channels", Channel("second"));
    }

    [Fact]
    public async Task A_number_s_confirmed_channels_come_first_and_the_newest_of_those_that_name_it_only()
    {
        const int most = 8;
        var number = $"777{Random.Shared.Next(1_000_000):000000}";
        object Channel(string secret) => new { name = "c", platform = "whatsapp", platformChannelId = number, credentials = new { appSecret = secret, verifyToken = "v", accessToken = "t" }, settings = new { apiBaseUrl = "https://gateway.example.com" } };
        var owner = await app.NewOrganization();
        var confirmed = (await owner.Create("channels", Channel("owner"))).Id();
        var named = new List<Guid>();
        for (var index = 0; index < most + 1; index++)
        {
            named.Insert(0, (await (await app.NewOrganization()).Create("channels", Channel($"{index}"))).Id());
        }
        async Task<Guid[]> Called() => (await owner.Query<Guid[]>("SELECT channels_called('whatsapp', $1, $2)", number, most))!;
        Assert.Equal(named.Take(most).ToList(), (await Called()).ToList());
        await owner.Execute("UPDATE channels SET is_account_confirmed = true WHERE id = $1", confirmed);
        Assert.Equal(new List<Guid>([confirmed, .. named.Take(most - 1)]), (await Called()).ToList());
        // What was confirmed is asked again when it changes, and nothing else makes it forgotten.
        await (await owner.Owner.Patch($"/v1/channels/{confirmed}", new { name = "n", settings = new { sendRatePerSecond = 5 } }, "*")).Json();
        Assert.Equal(confirmed, (await Called())[0]);
        await (await owner.Owner.Patch($"/v1/channels/{confirmed}", new { credentials = new { appSecret = "new" } }, "*")).Json();
        Assert.Equal(named.Take(most).ToList(), (await Called()).ToList());
    }

    [Theory]
    [InlineData("a\nb")]
    [InlineData("a\tb")]
    [InlineData("a\u007fb")]
    [InlineData("schlüssel")]
    [InlineData("a\r\nX-Evil: 1")]
    [InlineData("a\n")]
    [InlineData(" a ")]
    public async Task A_secret_that_no_header_can_carry_is_refused_and_blanks_around_it_are_left_out(string secret)
    {
        var organization = await app.NewOrganization();
        var answer = await organization.Owner.PostAsJsonAsync("/v1/llm-credentials", new { provider = "openai", apiKey = secret });
        Assert.Equal(secret.Trim() == "a" ? HttpStatusCode.Created : HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData("/v1/tags", "name", "color", "#3B82F6\n")]
    [InlineData("/v1/agents", "name", "key", "sales\n")]
    public async Task A_pattern_means_all_of_a_text(string path, string name, string field, string value)
    {
        var organization = await app.NewOrganization();
        Assert.Equal([$"/{field}"], (await (await organization.Owner.PostAsJsonAsync(path, new Dictionary<string, string> { [name] = "n", [field] = value })).Problem(ProblemType.Validation)).Fields());
    }

    private static async Task Holds(TestOrganization organization, string path, Func<string, object> alone, Func<string, object> withSecret, string secret)
    {
        foreach (var elsewhere in new[] { "https://evil.example.com/v1", "https://models.example.com:8443/v1", "https://models.example.com.evil.example/v1" })
        {
            Assert.Equal([secret], (await (await organization.Owner.Patch(path, alone(elsewhere), "*")).Problem(ProblemType.Validation)).Fields());
        }
        await (await organization.Owner.Patch(path, alone("https://MODELS.example.com/v2"), "*")).Json();
        await (await organization.Owner.Patch(path, withSecret("https://other.example.com/v1"), "*")).Json();
    }
}
