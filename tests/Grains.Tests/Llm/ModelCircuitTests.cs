using AgentPlatform.Fakes.Llm;
using AgentPlatform.Fakes.Time;
using AgentPlatform.Grains.Llm;

namespace AgentPlatform.Grains.Tests.Llm;

public sealed class ModelCircuitTests
{
    private static readonly LlmOptions Options = ModelTestBed.Quick with { MaxRetries = 0, CircuitMinimumCalls = 4, CircuitBreak = TimeSpan.FromSeconds(15) };

    [Fact]
    public async Task A_provider_that_keeps_failing_is_left_alone_for_a_while()
    {
        var time = new FakeTimeProvider();
        await using var bed = await ModelTestBed.CreateAsync(Options, time);
        bed.Server.Behave = _ => new FakeModelBehaviour.Refuse(500, "server_error");
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(LlmErrorKind.Unavailable, (await bed.Fails()).Kind);
        }

        Assert.Equal(LlmErrorKind.CircuitOpen, (await bed.Fails()).Kind);
        Assert.Equal(4, bed.Server.Count);

        time.Advance(TimeSpan.FromSeconds(16));
        bed.Server.Behave = _ => new FakeModelBehaviour.Answer("Back again.");
        Assert.Equal("Back again.", (await bed.Client().GetResponseAsync(ModelTestBed.Hello)).Text);
        Assert.Equal("Back again.", (await bed.Client().GetResponseAsync(ModelTestBed.Hello)).Text);
    }

    [Fact]
    public async Task One_organizations_failures_do_not_stop_another()
    {
        await using var bed = await ModelTestBed.CreateAsync(Options, new FakeTimeProvider());
        bed.Server.Behave = _ => new FakeModelBehaviour.Refuse(401, "invalid_api_key");
        for (var i = 0; i < 5; i++)
        {
            await bed.Fails();
        }

        bed.Server.Behave = _ => new FakeModelBehaviour.Answer("Fine.");
        Assert.Equal(LlmErrorKind.CircuitOpen, (await bed.Fails()).Kind);
        Assert.Equal("Fine.", (await bed.Client(bed.Endpoint(Guid.NewGuid())).GetResponseAsync(ModelTestBed.Hello)).Text);
    }

    [Fact]
    public async Task Requests_that_are_wrong_themselves_say_nothing_about_the_provider()
    {
        await using var bed = await ModelTestBed.CreateAsync(Options, new FakeTimeProvider());
        bed.Server.Behave = _ => new FakeModelBehaviour.Refuse(400, "context_length_exceeded");
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(LlmErrorKind.ContextLength, (await bed.Fails()).Kind);
        }
    }

    [Theory]
    [InlineData(0, 0.0, 500)]
    [InlineData(1, 0.0, 1000)]
    [InlineData(2, 1.0, 1500)]
    [InlineData(9, 0.0, 8000)]
    public void Pauses_double_up_to_their_limit(int attempt, double chance, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Grains.Llm.OpenAi.RetryPause.Before(attempt, null, new LlmOptions(), chance));

    [Theory]
    [InlineData(7, 7)]
    [InlineData(120, 120)]
    [InlineData(121, 0.5)]
    public void A_providers_wish_is_followed_when_it_is_not_too_long(double wish, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Grains.Llm.OpenAi.RetryPause.Before(0, TimeSpan.FromSeconds(wish), new LlmOptions(), 0));
}
