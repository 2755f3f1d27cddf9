using System.Net;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Fakes.Llm;
using AgentPlatform.Fakes.WhatsApp;

namespace AgentPlatform.Api.Tests.Configuration;

/// <summary>An organization with an agent, and a conversation that is hot in each of two processes.</summary>
internal sealed class HotConversations
{
    private readonly TwoProcesses _app;
    private readonly (WhatsAppLine Line, string Customer)[] _processes;
    private int _messages;

    private HotConversations(TwoProcesses app, TestOrganization organization, WhatsAppLine line)
    {
        _app = app;
        Organization = organization;
        _processes = [(line, "15550001111"), (new WhatsAppLine(app.There, line.ChannelId, line.Number), "15550002222")];
    }

    public TestOrganization Organization { get; }

    public WhatsAppLine Line => _processes[0].Line;

    public Guid Agent { get; private init; }

    public Guid Persona { get; private init; }

    public Guid Variant { get; private init; }

    public Guid Model { get; private init; }

    public Guid Credential { get; private init; }

    public static async Task<HotConversations> Begin(TwoProcesses app)
    {
        var organization = await app.Here.NewOrganization();
        var persona = (await organization.Create("personas", new { name = "Ana", tone = "friendly" })).Id();
        var variant = (await organization.Create("prompt-variants", new { agentType = "communication", name = "A", prompt = "Speak of dunes.", isDefault = true })).Id();
        var credential = (await organization.Create("llm-credentials", new { provider = "openai_compatible", apiKey = "first key", baseUrl = app.Model.BaseUrl })).Id();
        var model = (await organization.Create("llm-models", new { provider = "openai_compatible", name = "Model", modelId = "first-model", isDefault = true })).Id();
        var agent = (await organization.Create("agents", new { name = "Guide", status = "active", personaId = persona, systemPrompt = "Sell tours.", temperature = 0.5 })).Id();
        var hot = new HotConversations(app, organization, await app.Here.NewLine(organization, agent)) { Agent = agent, Persona = persona, Variant = variant, Model = model, Credential = credential };
        foreach (var process in hot._processes)
        {
            Assert.NotNull(await hot.Ask(process));
        }
        return hot;
    }

    /// <summary>Changes something in the first process; it must be seen in what both ask the model, by and by, and must not have been before.</summary>
    public async Task Changes(string path, object change, Func<FakeModelRequest, bool> isSeen)
    {
        foreach (var process in _processes)
        {
            Assert.False(isSeen((await Ask(process))!), $"{path} seems changed before it is.");
        }
        await Patch(path, change);
        foreach (var process in _processes)
        {
            await Eventually.Holds(async () => await Ask(process) is { } request && isSeen(request));
        }
    }

    /// <summary>Waits until messages of both conversations are answered by the agent, or aren't.</summary>
    public async Task AreAnswered(bool wanted)
    {
        foreach (var process in _processes)
        {
            await Eventually.Holds(async () => (await Ask(process) is not null) == wanted);
        }
    }

    /// <summary>Waits until a customer's word in both processes brings this text.</summary>
    public async Task Bring(string word, string text)
    {
        foreach (var (line, customer) in _processes)
        {
            await Eventually.Holds(async () =>
            {
                await line.Write(customer, word);
                return await _app.Here.Database.ScalarAsAdminAsync<string>(
                    $"SELECT m.text_content FROM messages m JOIN contacts k ON k.id = m.contact_id WHERE k.channel_id = '{line.ChannelId}' AND k.platform_user_id = '{customer}' AND m.sender_type = 'system' ORDER BY m.sequence DESC LIMIT 1") == text;
            });
        }
    }

    public async Task Patch(string path, object change) => await (await Organization.Owner.Patch($"/v1/{path}", change, "*")).Json();

    /// <summary>The contact of the conversation that is hot in the other process.</summary>
    public Task<Guid> ContactThere() =>
        _app.Here.Database.ScalarAsAdminAsync<Guid>($"SELECT id FROM contacts WHERE channel_id = '{Line.ChannelId}' AND platform_user_id = '{_processes[1].Customer}'");

    /// <summary>The customers of both conversations, as the platform calls them.</summary>
    public IEnumerable<string> Customers => _processes.Select(process => process.Customer);

    /// <summary>Whether the conversation of the other process is answered.</summary>
    public async Task<bool> IsAnsweredThere() => await Ask(_processes[1]) is not null;

    /// <summary>Waits until what both processes ask the model is as wanted.</summary>
    public async Task AreAsked(Func<FakeModelRequest, bool> isWanted)
    {
        foreach (var process in _processes)
        {
            await Eventually.Holds(async () => await Ask(process) is { } request && isWanted(request));
        }
    }

    /// <summary>Waits until webhooks signed with this secret are answered so in both processes.</summary>
    public async Task AreTaken(string secret, HttpStatusCode expected)
    {
        foreach (var app in new[] { _app.Here, _app.There })
        {
            var platform = new WhatsAppPlatform(app.Anonymous, new Uri(app.Address, $"/webhooks/whatsapp/{Line.ChannelId}"), secret);
            await Eventually.Holds(async () =>
            {
                using var answer = await platform.Deliver(WhatsAppBodies.Text(Line.Number, "15550003333", $"wamid.{Guid.NewGuid():N}", "Hello"));
                return answer.StatusCode == expected;
            });
        }
    }

    /// <summary>A message in one conversation: what the model is asked for it, or null when no agent is to answer it.</summary>
    private async Task<FakeModelRequest?> Ask((WhatsAppLine Line, string Customer) process)
    {
        var text = $"Question {Interlocked.Increment(ref _messages)}.";
        await process.Line.Write(process.Customer, text);
        // The turn is there before the platform has its 200, or there is none.
        var isToBeAnswered = await _app.Here.Database.ScalarAsAdminAsync<bool>(
            $"""
            SELECT EXISTS (SELECT FROM messages m JOIN contacts k ON k.id = m.contact_id JOIN turns t ON t.conversation_id = m.conversation_id AND m.sequence BETWEEN t.first_sequence AND t.last_sequence
            WHERE k.channel_id = '{process.Line.ChannelId}' AND k.platform_user_id = '{process.Customer}' AND m.text_content = '{text}' AND t.outcome IS DISTINCT FROM 'taken_over')
            """);
        if (!isToBeAnswered)
        {
            return null;
        }
        FakeModelRequest? asked = null;
        await Eventually.Holds(() => Task.FromResult((asked = _app.Model.Requests.LastOrDefault(request => request.CustomerText.Contains(text, StringComparison.Ordinal))) is not null));
        return asked;
    }
}
