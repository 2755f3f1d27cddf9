using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Fakes.WhatsApp;

namespace AgentPlatform.Api.Tests.Configuration;

/// <summary>
/// What is changed in one process counts for the next message of a conversation that is hot in another, for every kind of configuration that the engine reads and for
/// everything that lets people and keys in. Nothing here waits for a cache to grow old: those that do believe what they know for longer than a test waits.
/// </summary>
public sealed class ConfigurationReachTests(TwoProcesses app) : IClassFixture<TwoProcesses>
{
    [Fact]
    public async Task What_an_agent_is_and_how_it_speaks()
    {
        var hot = await HotConversations.Begin(app);
        await hot.Changes($"agents/{hot.Agent}", new { systemPrompt = "Sell camels." }, request => request.System.Contains("Sell camels.", StringComparison.Ordinal));
        await hot.Changes($"agents/{hot.Agent}", new { temperature = 0.25, maxTokens = 77 }, request => (request.Temperature, request.MaxTokens) == (0.25, 77));
        await hot.Changes($"personas/{hot.Persona}", new { name = "Zoe", tone = "formal" }, request => request.System.Contains("Zoe", StringComparison.Ordinal) && request.System.Contains("formal", StringComparison.Ordinal));
        await hot.Changes($"prompt-variants/{hot.Variant}", new { prompt = "Speak of oases." }, request => request.System.Contains("oases", StringComparison.Ordinal));
        var other = (await hot.Organization.Create("prompt-variants", new { agentType = "communication", name = "B", prompt = "Speak of stars." })).Id();
        await hot.Changes($"prompt-variants/{other}", new { isDefault = true }, request => request.System.Contains("stars", StringComparison.Ordinal) && !request.System.Contains("oases", StringComparison.Ordinal));
        await hot.Changes("organization", new { name = "Dune Tours" }, request => request.System.Contains("Dune Tours", StringComparison.Ordinal));
        await hot.Patch($"agents/{hot.Agent}", new { status = "inactive" });
        await hot.AreAnswered(false);
        await hot.Patch($"agents/{hot.Agent}", new { status = "active" });
        await hot.AreAnswered(true);
    }

    [Fact]
    public async Task Which_model_answers_and_by_which_key()
    {
        var hot = await HotConversations.Begin(app);
        await hot.Changes($"llm-models/{hot.Model}", new { modelId = "second-model" }, request => request.Model == "second-model");
        await hot.Changes($"llm-credentials/{hot.Credential}", new { apiKey = "second key" }, request => request.ApiKey == "second key");
        var other = (await hot.Organization.Create("llm-models", new { provider = "openai_compatible", name = "Third", modelId = "third-model" })).Id();
        await hot.Changes($"llm-models/{other}", new { isDefault = true }, request => request.Model == "third-model");
        await hot.Changes($"agents/{hot.Agent}", new { llmModelId = hot.Model }, request => request.Model == "second-model");
        await hot.Changes($"channels/{hot.Line.ChannelId}", new { aiModel = "third-model", aiTemperature = 1.5 }, request => (request.Model, request.Temperature) == ("third-model", 1.5));
    }

    [Fact]
    public async Task Whether_a_channel_an_organization_or_a_contact_has_an_agent_at_all()
    {
        var hot = await HotConversations.Begin(app);
        await Switches($"channels/{hot.Line.ChannelId}", new { isBotActive = false }, new { isBotActive = true });
        await Switches("organization", new { aiEnabled = false }, new { aiEnabled = true });
        await Switches($"agents/{hot.Agent}", new { status = "inactive" }, new { status = "active" });
        // Without an agent of its own the channel has the organization's default one.
        await hot.Patch($"channels/{hot.Line.ChannelId}", new { agentId = (Guid?)null });
        await hot.AreAnswered(true);
        await Switches($"agents/{hot.Agent}", new { status = "inactive" }, new { status = "active" });
        // Each process has a grain of its own for the contact, which two silos of one cluster never have: the stale one finds out by the version.
        var contact = await hot.ContactThere();
        await (await hot.Organization.Owner.PostAsJsonAsync($"/v1/contacts/{contact}/ai", new { enabled = false })).Json();
        await Eventually.Holds(async () => await hot.IsAnsweredThere() == false);
        await (await hot.Organization.Owner.PostAsJsonAsync($"/v1/contacts/{contact}/ai", new { enabled = true })).Json();
        await Eventually.Holds(hot.IsAnsweredThere);

        async Task Switches(string path, object off, object on)
        {
            await hot.Patch(path, off);
            await hot.AreAnswered(false);
            await hot.Patch(path, on);
            await hot.AreAnswered(true);
        }
    }

    [Fact]
    public async Task What_keywords_do()
    {
        var hot = await HotConversations.Begin(app);
        var collection = (await hot.Organization.Create("content-collections", new { channelId = hot.Line.ChannelId, collectionId = "menu", name = "Menu", items = new[] { "Camels" } })).Id();
        var action = (await hot.Organization.Create("keyword-actions", new { channelId = hot.Line.ChannelId, keyword = "menu", actionType = "SEND_COLLECTION", collectionId = "menu" })).Id();
        await hot.Bring("menu", "Camels");
        await hot.Patch($"content-collections/{collection}", new { items = new[] { "Tents" } });
        await hot.Bring("menu", "Tents");
        await hot.Patch($"keyword-actions/{action}", new { keyword = "list" });
        await hot.Patch($"content-collections/{collection}", new { items = new[] { "Stars" } });
        await hot.Bring("list", "Stars");
    }

    [Fact]
    public async Task How_a_channel_reaches_its_platform()
    {
        var hot = await HotConversations.Begin(app);
        await using var other = await FakeGraphApi.StartAsync();
        other.AddNumber(hot.Line.Number, "second token");
        await hot.Patch($"channels/{hot.Line.ChannelId}", new { settings = new { apiBaseUrl = other.BaseUrl }, credentials = new { accessToken = "second token" } });
        foreach (var customer in hot.Customers)
        {
            await Eventually.Holds(async () =>
            {
                await hot.AreAnswered(true);
                return other.Messages.Any(message => message.Recipient == customer);
            });
        }
        Assert.Empty(other.Rejections);

        await hot.Patch($"channels/{hot.Line.ChannelId}", new { credentials = new { appSecret = "second secret" } });
        await hot.AreTaken("second secret", HttpStatusCode.OK);
        await hot.AreTaken(EngineApp.AppSecret, HttpStatusCode.Unauthorized);
        await hot.Patch($"channels/{hot.Line.ChannelId}", new { isActive = false });
        await hot.AreTaken("second secret", HttpStatusCode.Forbidden);
        await hot.Patch($"channels/{hot.Line.ChannelId}", new { isActive = true });
        await hot.AreTaken("second secret", HttpStatusCode.OK);
    }

    [Fact]
    public async Task What_the_plan_allows()
    {
        var hot = await HotConversations.Begin(app);
        var root = await SuperAdmin();
        var plan = await (await root.PostAsJsonAsync("/v1/pricing-plans", new { code = $"p{Guid.NewGuid():N}", tier = "scale", name = "Plan" })).Json(HttpStatusCode.Created);
        var subscription = $"/v1/organizations/{hot.Organization.Id}/subscription";
        await (await root.PostAsJsonAsync(subscription, new { plan = plan.Text("code"), status = "active" })).Json(HttpStatusCode.Created);
        await hot.AreAnswered(true);
        await Root(subscription, new { status = "canceled" });
        await hot.AreAnswered(false);
        await Root(subscription, new { status = "active" });
        await hot.AreAnswered(true);
        await Root($"/v1/pricing-plans/{plan.Id()}", new { tokenQuota = 1 });
        await hot.AreAnswered(false);
        await Root(subscription, new { tokenQuota = 1_000_000_000 });
        await hot.AreAnswered(true);

        async Task Root(string path, object change) => await (await root.Patch(path, change, "*")).Json();
    }

    [Fact]
    public async Task What_agents_know()
    {
        var hot = await HotConversations.Begin(app);
        var article = (await hot.Organization.Create("knowledge-articles", new { title = "Question", content = "The answer to each question is forty-two." })).Id();
        await hot.AreAsked(request => Told(request, "forty-two"));
        await hot.Patch($"knowledge-articles/{article}", new { content = "The answer to each question is seventeen." });
        await hot.AreAsked(request => Told(request, "seventeen") && !Told(request, "forty-two"));
        await hot.Patch($"knowledge-articles/{article}", new { isPublished = false });
        await hot.AreAsked(request => !Told(request, "seventeen"));

        static bool Told(Fakes.Llm.FakeModelRequest request, string word) => request.Messages.Any(message => message.Text.Contains($"question is {word}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_may_come_in()
    {
        var organization = await app.Here.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Manager);
        var token = (await organization.SignIn(email)).DefaultRequestHeaders.Authorization!.Parameter!;
        using var member = app.There.Client(token);
        await Answers(member, HttpStatusCode.OK);
        await Patch($"members/{id}", new { role = "viewer" });
        await Eventually.Holds(async () => (await member.PostAsJsonAsync("/v1/partners", new { name = "Guide" })).StatusCode == HttpStatusCode.Forbidden);
        await Patch($"members/{id}", new { status = "suspended" });
        await Answers(member, HttpStatusCode.Unauthorized);

        var key = await organization.Create("api-keys", new { name = "Key", role = "member", scopes = new[] { "clients:read" } });
        using var client = app.There.Client(key.Text("key"));
        await Answers(client, HttpStatusCode.OK);
        await Patch($"api-keys/{key.Id()}", new { scopes = new[] { "partners:read" } });
        await Answers(client, HttpStatusCode.Forbidden);
        await (await organization.Owner.DeleteAsync($"/v1/api-keys/{key.Id()}")).Json(HttpStatusCode.NoContent);
        await Answers(client, HttpStatusCode.Unauthorized);

        Task Answers(HttpClient caller, HttpStatusCode expected) => Eventually.Holds(async () => (await caller.GetAsync("/v1/clients")).StatusCode == expected);
        async Task Patch(string path, object change) => await (await organization.Owner.Patch($"/v1/{path}", change, "*")).Json();
    }

    private async Task<HttpClient> SuperAdmin()
    {
        var organization = await app.Here.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Viewer);
        await organization.Execute("UPDATE users SET is_super_admin = true WHERE id = $1", id);
        return await organization.SignIn(email);
    }
}
