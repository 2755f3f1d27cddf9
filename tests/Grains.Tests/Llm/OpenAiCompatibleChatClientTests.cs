using AgentPlatform.Fakes.Llm;
using AgentPlatform.Grains.Llm;
using AgentPlatform.Grains.Llm.OpenAi;
using Microsoft.Extensions.AI;

namespace AgentPlatform.Grains.Tests.Llm;

public sealed class OpenAiCompatibleChatClientTests
{
    private static readonly Dictionary<string, FakeModelBehaviour> PassingFailures = new()
    {
        ["a rate limit"] = new FakeModelBehaviour.Refuse(429, "rate_limit_exceeded", "slow", ("retry-after-ms", "1")),
        ["an internal error"] = new FakeModelBehaviour.Refuse(500, "server_error"),
        ["an overloaded gateway"] = new FakeModelBehaviour.Refuse(503, "overloaded"),
        ["a conflict"] = new FakeModelBehaviour.Refuse(409, "conflict"),
        ["a refusal that says to try again"] = new FakeModelBehaviour.Refuse(400, "odd", "x", ("x-should-retry", "true")),
        ["a dropped connection"] = new FakeModelBehaviour.Drop(),
        ["silence"] = new FakeModelBehaviour.Hang(),
        ["silence mid-stream"] = new FakeModelBehaviour.HangMidStream("I am"),
        ["a connection that ends mid-stream"] = new FakeModelBehaviour.StopMidStream("I am"),
        ["a stream that ends early"] = new FakeModelBehaviour.EndEarly("I am"),
        ["an error mid-stream"] = new FakeModelBehaviour.ErrorMidStream("I am"),
        ["garbage events"] = new FakeModelBehaviour.Garbage("data: {\"choices\": [{]\n\n"),
        ["an HTML page"] = new FakeModelBehaviour.Garbage("<html><body>Welcome</body></html>", "text/html"),
        ["an empty body"] = new FakeModelBehaviour.Garbage("", "application/json"),
        ["an object without choices"] = new FakeModelBehaviour.Garbage("{\"choices\": []}", "application/json"),
        ["values of wrong types"] = new FakeModelBehaviour.Garbage("data: {\"choices\": \"none\", \"usage\": []}\n\n"),
        ["null"] = new FakeModelBehaviour.Garbage("data: null\n\ndata: [DONE]\n\n"),
        ["binary noise"] = new FakeModelBehaviour.Garbage("\u0001\u0002\uffff{{{", "application/octet-stream"),
    };

    public static TheoryData<string> PassingFailureNames => [.. PassingFailures.Keys];

    [Fact]
    public async Task An_answer_comes_with_its_usage()
    {
        await using var bed = await ModelTestBed.CreateAsync();
        bed.Server.Enqueue(new FakeModelBehaviour.Answer("Grüß Gott 👋, what a lovely long greeting this is!"));

        var response = await bed.Client().GetResponseAsync(ModelTestBed.Hello, new ChatOptions { Temperature = 0.3f, MaxOutputTokens = 100 });

        Assert.Equal("Grüß Gott 👋, what a lovely long greeting this is!", response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.True(response.Usage!.InputTokenCount > 0 && response.Usage.OutputTokenCount > 0);
        Assert.False((bool)response.AdditionalProperties![OpenAiCompatibleChatClient.UsageEstimated]!);
        var request = Assert.Single(bed.Server.Requests);
        Assert.Equal("sk-test", request.ApiKey);
        Assert.True(request is { Stream: true, IncludeUsage: true, MaxTokens: 100, Temperature: 0.3 });
        Assert.Equal([("system", "Be kind."), ("user", "Hello")], request.Messages);
        Assert.Equal(0, bed.Server.Rejected);
    }

    [Fact]
    public async Task Usage_that_the_server_does_not_tell_is_estimated_and_marked()
    {
        await using var bed = await ModelTestBed.CreateAsync();
        bed.Server.Enqueue(new FakeModelBehaviour.Answer("Twelve letters or so", TellUsage: false));

        var response = await bed.Client().GetResponseAsync(ModelTestBed.Hello);

        Assert.True((bool)response.AdditionalProperties![OpenAiCompatibleChatClient.UsageEstimated]!);
        Assert.Equal(5, response.Usage!.OutputTokenCount);
        Assert.Equal(2 + 2 + (2 * 4), response.Usage.InputTokenCount);
    }

    [Fact]
    public async Task A_server_that_does_not_stream_is_understood()
    {
        await using var bed = await ModelTestBed.CreateAsync();
        bed.Server.Enqueue(new FakeModelBehaviour.Garbage("""{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":[{"type":"text","text":"Whole"}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":1}}""", "application/json"));

        var response = await bed.Client().GetResponseAsync(ModelTestBed.Hello);

        Assert.Equal("Whole", response.Text);
        Assert.Equal(7, response.Usage!.InputTokenCount);
    }

    [Theory]
    [InlineData("-5")]
    [InlineData("1e18")]
    [InlineData("99999999999999999999999")]
    [InlineData("1e999")]
    [InlineData("\"many\"")]
    public async Task A_usage_that_can_not_be_is_estimated(string claimed)
    {
        await using var bed = await ModelTestBed.CreateAsync();
        bed.Server.Enqueue(new FakeModelBehaviour.Garbage($$$"""{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"Whole"},"finish_reason":"stop"}],"usage":{"prompt_tokens":{{{claimed}}},"completion_tokens":{{{claimed}}},"total_tokens":{{{claimed}}}}}""", "application/json"));

        var response = await bed.Client().GetResponseAsync(ModelTestBed.Hello);

        Assert.True((bool)response.AdditionalProperties![OpenAiCompatibleChatClient.UsageEstimated]!);
        Assert.InRange(response.Usage!.InputTokenCount!.Value, 1, 100);
        Assert.InRange(response.Usage.OutputTokenCount!.Value, 1, 100);
    }

    [Fact]
    public void What_a_call_cost_fits_its_record() =>
        Assert.Equal(ModelEndpoint.MaxCost, new ModelEndpoint { OrganizationId = Guid.Empty, Provider = "p", ModelId = "m", BaseUrl = new Uri("https://example.test"), ApiKey = "k", InputCostPer1K = 999_999m, OutputCostPer1K = 999_999m }.CostOf(long.MaxValue, long.MaxValue));

    [Fact]
    public async Task The_streaming_interface_gives_the_same_text()
    {
        await using var bed = await ModelTestBed.CreateAsync();
        bed.Server.Enqueue(new FakeModelBehaviour.StopMidStream("Never"), new FakeModelBehaviour.Answer("Once, and whole."));

        var response = await bed.Client().GetStreamingResponseAsync(ModelTestBed.Hello).ToChatResponseAsync();

        Assert.Equal("Once, and whole.", response.Text);
    }

    [Theory]
    [MemberData(nameof(PassingFailureNames))]
    public async Task A_failure_that_passes_is_tried_again(string failure)
    {
        await using var bed = await ModelTestBed.CreateAsync(failure.StartsWith("silence", StringComparison.Ordinal) ? ModelTestBed.Impatient : ModelTestBed.Quick);
        bed.Server.Enqueue(PassingFailures[failure], new FakeModelBehaviour.Answer("Here I am."));

        var response = await bed.Client().GetResponseAsync(ModelTestBed.Hello);

        Assert.Equal("Here I am.", response.Text);
        Assert.True(bed.Server.Count >= 2);
    }

    [Theory]
    [InlineData(429, "insufficient_quota", LlmErrorKind.Quota)]
    [InlineData(429, "organization_spend_limit_exceeded", LlmErrorKind.Quota)]
    [InlineData(402, "payment_required", LlmErrorKind.Quota)]
    [InlineData(401, "invalid_api_key", LlmErrorKind.Auth)]
    [InlineData(403, "unsupported_country", LlmErrorKind.Auth)]
    [InlineData(404, "model_not_found", LlmErrorKind.InvalidRequest)]
    [InlineData(400, "context_length_exceeded", LlmErrorKind.ContextLength)]
    [InlineData(400, "content_filter", LlmErrorKind.ContentFiltered)]
    [InlineData(400, "unknown_parameter", LlmErrorKind.InvalidRequest)]
    public async Task A_failure_that_stays_is_not_tried_again(int status, string code, object kind)
    {
        await using var bed = await ModelTestBed.CreateAsync();
        bed.Server.Behave = _ => new FakeModelBehaviour.Refuse(status, code, "Why not.");

        var failure = await bed.Fails();

        Assert.Equal(kind, failure.Kind);
        Assert.Contains(code, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sk-test", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, bed.Server.Count);
    }

    [Fact]
    public async Task The_server_may_forbid_another_try()
    {
        await using var bed = await ModelTestBed.CreateAsync();
        bed.Server.Behave = _ => new FakeModelBehaviour.Refuse(500, "server_error", "x", ("x-should-retry", "false"));

        Assert.Equal(LlmErrorKind.Unavailable, (await bed.Fails()).Kind);
        Assert.Equal(1, bed.Server.Count);
    }

    [Fact]
    public async Task Tries_end_after_the_limit()
    {
        await using var bed = await ModelTestBed.CreateAsync(ModelTestBed.Quick with { MaxRetries = 3 });
        bed.Server.Behave = _ => new FakeModelBehaviour.Refuse(503, "overloaded");

        Assert.Equal(LlmErrorKind.Unavailable, (await bed.Fails()).Kind);
        Assert.Equal(4, bed.Server.Count);
    }

    [Fact]
    public async Task A_context_that_is_too_long_is_understood_from_words_alone()
    {
        await using var bed = await ModelTestBed.CreateAsync();
        bed.Server.Behave = _ => new FakeModelBehaviour.Refuse(400, "400", "This model's maximum context length is 4096 tokens.");

        Assert.Equal(LlmErrorKind.ContextLength, (await bed.Fails()).Kind);
    }

    [Fact]
    public async Task An_answer_without_end_is_cut_at_the_limit()
    {
        await using var bed = await ModelTestBed.CreateAsync();
        bed.Server.Behave = _ => new FakeModelBehaviour.Endless();

        var failure = await bed.Fails();

        Assert.Equal(LlmErrorKind.BadAnswer, failure.Kind);
        Assert.Contains("MaxResponseBytes", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, bed.Server.Count);
    }

    [Fact]
    public async Task The_total_time_out_ends_a_model_that_trickles()
    {
        await using var bed = await ModelTestBed.CreateAsync(ModelTestBed.Quick with { IdleTimeout = TimeSpan.FromSeconds(30), TotalTimeout = TimeSpan.FromMilliseconds(300) });
        bed.Server.Behave = _ => new FakeModelBehaviour.HangMidStream("So");

        var failure = await bed.Fails();

        Assert.Equal(LlmErrorKind.Timeout, failure.Kind);
        Assert.Contains("TotalTimeout", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wish_to_wait_longer_than_there_is_time_ends_the_call()
    {
        await using var bed = await ModelTestBed.CreateAsync(ModelTestBed.Quick with { TotalTimeout = TimeSpan.FromSeconds(20) });
        bed.Server.Behave = _ => new FakeModelBehaviour.Refuse(429, "rate_limit_exceeded", "x", ("retry-after", "60"));

        var failure = await bed.Fails();

        Assert.Equal(LlmErrorKind.RateLimited, failure.Kind);
        Assert.Equal(TimeSpan.FromSeconds(60), failure.RetryAfter);
        Assert.Equal(1, bed.Server.Count);
    }

    [Fact]
    public async Task A_caller_that_gives_up_is_not_told_of_a_failure()
    {
        await using var bed = await ModelTestBed.CreateAsync(ModelTestBed.Quick with { IdleTimeout = TimeSpan.FromMinutes(1) });
        using var caller = new CancellationTokenSource();
        bed.Server.Behave = _ =>
        {
            caller.Cancel();
            return new FakeModelBehaviour.Hang();
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => bed.Client().GetResponseAsync(ModelTestBed.Hello, cancellationToken: caller.Token));
    }

    [Fact]
    public async Task OpenAi_itself_is_asked_with_the_parameters_that_its_models_know()
    {
        await using var bed = await ModelTestBed.CreateAsync();
        var endpoint = bed.Endpoint(provider: "openai", model: "gpt-5.4", capabilities: new ModelCapabilities { Temperature = false, SystemRole = "developer" });

        await bed.Client(endpoint).GetResponseAsync(ModelTestBed.Hello, new ChatOptions { Temperature = 0.5f, MaxOutputTokens = 50 });

        var request = Assert.Single(bed.Server.Requests);
        Assert.True(request is { MaxTokens: 50, Temperature: null });
        Assert.Equal("developer", request.Messages[0].Role);
        Assert.Equal(0, bed.Server.Rejected);
    }

    [Fact]
    public async Task A_private_address_is_refused_before_anything_is_sent()
    {
        await using var bed = await ModelTestBed.CreateAsync(allowPrivate: false);

        var failure = await bed.Fails();

        Assert.Equal(LlmErrorKind.EndpointRefused, failure.Kind);
        Assert.Equal(0, bed.Server.Count);
    }

    [Fact]
    public async Task Tools_and_pictures_are_refused_rather_than_forgotten()
    {
        await using var bed = await ModelTestBed.CreateAsync();

        await Assert.ThrowsAsync<ArgumentException>(() => bed.Client().GetResponseAsync([new ChatMessage(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")])]));
        Assert.Equal(0, bed.Server.Count);
    }
}
