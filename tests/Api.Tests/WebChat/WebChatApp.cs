using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Api.WebChat;
using AgentPlatform.Conversations;
using AgentPlatform.Fakes;
using AgentPlatform.Grains;
using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Channels.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.Api.Tests.WebChat;

/// <summary>The API with the engine in one process, and an agent that answers as a test tells it.</summary>
public class WebChatApp : ApiApp
{
    /// <summary>The channel that the start page links to, once a test has made it.</summary>
    public static readonly Guid StartPageChannel = Guid.CreateVersion7();


    internal ScriptedAgent Agent { get; } = new();

    protected override Dictionary<string, string?> Settings()
    {
        var settings = base.Settings();
        settings["WEB_VISITORS_PER_MINUTE"] = "100000";
        settings["WEB_MESSAGES_PER_MINUTE"] = "100000";
        settings["WEB_ADDRESS_MESSAGES_PER_MINUTE"] = "100000";
        settings["WEB_READS_PER_MINUTE"] = "100000";
        return settings;
    }

    protected override void Configure(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(WebChatOptions.From(builder.Configuration) with { StartPageChannelId = StartPageChannel });
        base.Configure(builder);
        builder.Services.AddChannels(builder.Configuration);
        builder.Services.AddWebConnector();
        builder.Services.AddSingleton<ITurnRunner>(Agent);
        builder.Services.AddEngine(builder.Configuration);
        builder.UseOrleans(silo =>
        {
            var (port, gateway) = TestPorts.Pair();
            silo.UseLocalhostClustering(port, gateway, serviceId: "tests", clusterId: Guid.NewGuid().ToString("N"));
            silo.AddMemoryGrainStorageAsDefault();
            silo.UseInMemoryReminderService();
        });
    }

    /// <summary>Event streams that visitors of a channel have open.</summary>
    internal int Streams(Guid channelId) => Services.GetRequiredService<VisitorStreams>().Open(channelId);

    /// <summary>A web channel of an organization, with its agent.</summary>
    internal async Task<WebChannel> NewChannel(TestOrganization organization, params string[] allowedDomains)
    {
        var channel = new WebChannel(this, organization, Guid.CreateVersion7());
        var agent = Guid.CreateVersion7();
        await organization.Execute("INSERT INTO agents (id, organization_id, name, status) VALUES ($1, $2, $3, 'active')", agent, organization.Id, $"Guide {agent}");
        await organization.Execute("INSERT INTO channels (id, organization_id, agent_id, name, platform) VALUES ($1, $2, $3, 'Site', 'web')", channel.Id, organization.Id, agent);
        await organization.Execute("INSERT INTO web_widgets (channel_id, organization_id, primary_color, welcome_message, allowed_domains) VALUES ($1, $2, '#0f766e', 'Hello', $3)",
            channel.Id, organization.Id, allowedDomains);
        return channel;
    }
}

/// <summary>An agent that says what a test wants; it repeats the question's place by itself.</summary>
internal sealed class ScriptedAgent : ITurnRunner
{
    public Func<TurnRequest, CancellationToken, Task<TurnResult>> Answer { get; set; } = static (request, _) => Task.FromResult(Say($"answer to {request.LastSequence}"));

    public Task<TurnResult> Run(TurnRequest request, CancellationToken cancellationToken) => Answer(request, cancellationToken);

    public static TurnResult Say(string text, string responder = "model") =>
        Say(new OutgoingContent { Text = text }, responder);

    public static TurnResult Say(OutgoingContent content, string responder = "model") =>
        new() { Replies = [content], Outcome = "replied", Record = new TurnRecord { Responder = responder } };
}
