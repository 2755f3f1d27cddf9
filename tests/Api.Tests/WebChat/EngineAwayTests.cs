using System.Net;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Conversations;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.WebChat;

/// <summary>A silo that calls are on their way to can die.</summary>
public sealed class EngineAwayTests(EngineAwayApp app) : IClassFixture<EngineAwayApp>
{
    [Fact]
    public async Task While_a_call_finds_no_silo_the_answer_is_503_and_the_repeated_request_is_done_once()
    {
        var visitor = await (await app.NewChannel(await app.NewOrganization())).NewVisitor();
        var id = Guid.NewGuid();

        app.IsAway = true;
        var answer = await visitor.Send("hello", id);
        await answer.Problem(ProblemType.Unavailable);
        Assert.Equal(KnownFailures.RetryAfter, answer.Headers.RetryAfter!.Delta);

        app.IsAway = false;
        await (await visitor.Send("hello", id)).Json(HttpStatusCode.Created);
        await (await visitor.Send("hello", id)).Json();
        Assert.Single(await visitor.Messages(), message => message.Text("direction") == "inbound");
    }
}

/// <summary>The API with an engine whose conversations can be out of reach.</summary>
public sealed class EngineAwayApp : WebChatApp, IOutgoingGrainCallFilter
{
    /// <summary>Whether calls to conversations fail as they do while their silo is gone.</summary>
    public bool IsAway { get; set; }

    public Task Invoke(IOutgoingGrainCallContext context) =>
        IsAway && context.InterfaceMethod.DeclaringType == typeof(IConversationGrain)
            ? Task.FromException(new SiloUnavailableException("The target silo became unavailable."))
            : context.Invoke();

    protected override void Configure(WebApplicationBuilder builder)
    {
        base.Configure(builder);
        builder.Services.AddSingleton<IOutgoingGrainCallFilter>(this);
    }
}
