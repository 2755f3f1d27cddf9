using AgentPlatform.Fakes.Llm;
using AgentPlatform.Grains.Agents;
using Xunit.Abstractions;

namespace AgentPlatform.Grains.Tests.Agents;

public sealed class UnreliableModelTests(ITestOutputHelper output)
{
    private static readonly Func<FakeModelBehaviour>[] Faults =
    [
        () => new FakeModelBehaviour.Refuse(500, "server_error"),
        () => new FakeModelBehaviour.Refuse(429, "rate_limit_exceeded", "x", ("retry-after-ms", "1")),
        () => new FakeModelBehaviour.Hang(),
        () => new FakeModelBehaviour.HangMidStream("So I"),
        () => new FakeModelBehaviour.StopMidStream("So I"),
        () => new FakeModelBehaviour.EndEarly("So I"),
        () => new FakeModelBehaviour.ErrorMidStream("So I"),
        () => new FakeModelBehaviour.Garbage("data: }{\n\n"),
        () => new FakeModelBehaviour.Garbage("<html>502</html>", "text/html"),
        () => new FakeModelBehaviour.Garbage("{\"choices\":[]}", "application/json"),
        () => new FakeModelBehaviour.Answer("  "),
        () => new FakeModelBehaviour.Drop(),
    ];

    [Fact]
    public async Task Every_turn_ends_in_the_whole_answer_or_in_the_fall_back_message_when_a_third_of_calls_fails()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var model = await FakeModelServer.StartAsync();
        await using var company = await TurnRunnerTests.WithModel(model, ("Engine:Llm:IdleTimeout", "00:00:00.4"), ("Engine:Llm:MaxRetries", "3"));
        await company.Execute("UPDATE personas SET fallback_message = 'Sorry!', escalation_policy = 'apologize'");
        model.Behave = request =>
        {
            lock (random)
            {
                return random.NextDouble() < 0.3 ? Faults[random.Next(Faults.Length)]() : new FakeModelBehaviour.Answer($"Whole answer to {request.CustomerText}.");
            }
        };
        var requests = new List<TurnRequest>();
        for (var i = 0; i < 60; i++)
        {
            requests.Add(await company.Converse($"> question {i}"));
        }

        var results = await Task.WhenAll(requests.Select(request => company.Runner.Run(request, CancellationToken.None)));

        for (var i = 0; i < results.Length; i++)
        {
            var reply = Assert.Single(results[i].Replies).Text;
            if (results[i].Outcome == "replied")
            {
                Assert.Equal($"Whole answer to question {i}.", reply);
                Assert.Equal("model", results[i].Record.Responder);
            }
            else
            {
                Assert.Equal(("fallback", "Sorry!"), (results[i].Outcome, reply));
                Assert.False(string.IsNullOrEmpty(results[i].Record.Error));
            }
        }

        output.WriteLine($"{results.Count(result => result.Outcome == "replied")} of {results.Length} answered with {model.Count} calls");
        Assert.True(results.Count(result => result.Outcome == "replied") > results.Length * 3 / 4);
        Assert.Equal(0, model.Rejected);
    }
}
