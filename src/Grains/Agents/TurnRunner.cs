using AgentPlatform.Conversations;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Texts;
using AgentPlatform.Grains.Agents.Steps;
using AgentPlatform.Grains.Knowledge;
using AgentPlatform.Grains.Llm;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Agents;

/// <inheritdoc cref="ITurnRunner"/>
internal sealed partial class TurnRunner(
    AgentDirectory directory, ConversationContextReader reader, KnowledgeSearch search, KnowledgeVocabularies vocabularies, ModelCaller models, IOptions<AgentOptions> options, IOptions<KnowledgeOptions> knowledge,
    TimeProvider time, ILogger<TurnRunner> logger) : ITurnRunner
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    /// <summary>What instructions and the question take, roughly, when a small model's window is shared out.</summary>
    private const int InstructionTokens = 1000;

    private readonly AgentOptions _options = options.Value;

    /// <inheritdoc />
    public async Task<TurnResult> Run(TurnRequest request, CancellationToken cancellationToken)
    {
        var timings = new TurnTimings(time);
        ConversationContext? context = null;
        AgentConfiguration? agent = null;
        try
        {
            var organization = await WhenAvailable(NameOf(request), ct => directory.Get(request.OrganizationId, ct).AsTask(), cancellationToken).ConfigureAwait(false);
            timings.End("configuration");
            agent = organization.AgentIn(request.ChannelId, request.AgentId);
            if (agent is null)
            {
                return new TurnResult { Outcome = "escalated", Escalate = true, Record = BuiltIn(timings) with { Error = "The agent doesn't exist any more." } };
            }

            context = await WhenAvailable(NameOf(request), ct => reader.Read(request, ct), cancellationToken).ConfigureAwait(false);
            timings.End("history");
            return await Answer(organization, agent, context, timings, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception failure)
        {
            LogFailed(failure, request.TurnId, request.ConversationId, request.ChannelId);
            var language = context is null ? "en" : Question.Read(context).Language;
            return FallBack(agent?.Persona ?? PersonaConfiguration.None, language, context?.PreviousOutcome, BuiltIn(timings) with { Error = $"{failure.GetType().Name}: {failure.Message}" });
        }
    }

    /// <summary>The steps from what was said to what is answered, for a turn and for a question outside any conversation.</summary>
    public async Task<TurnResult> Answer(
        OrganizationAgents organization, AgentConfiguration agent, ConversationContext context, TurnTimings timings, CancellationToken cancellationToken)
    {
        var question = Question.Read(context);
        timings.End("question");
        if (!question.ExpectsAnswer)
        {
            return new TurnResult { Outcome = "silent", Record = BuiltIn(timings) };
        }

        if (question is { Kind: SmallTalkKind.Greeting, IsFirst: true } && !ComparableText.IsBlank(agent.Persona.Greeting))
        {
            return Reply(agent.Persona.Greeting, BuiltIn(timings));
        }

        var passages = question.Text.Length == 0 || question.Kind != SmallTalkKind.None ? [] : await WhenAvailable(
            () => $"An answer of agent {agent.Id} of organization {organization.Id}",
            ct => search.Search(new KnowledgeQuestion(organization.Id, agent.Id, question.Text, question.Context, question.Language), ct), cancellationToken).ConfigureAwait(false);
        timings.End("retrieval");
        return agent.Model is null
            ? await AnswerWithoutModel(organization, agent, context, question, passages, timings, cancellationToken).ConfigureAwait(false)
            : await AnswerWithModel(organization, agent, context, question, [.. passages.Take(knowledge.Value.Passages)], timings, cancellationToken).ConfigureAwait(false);
    }

    private async Task<TurnResult> AnswerWithoutModel(
        OrganizationAgents organization, AgentConfiguration agent, ConversationContext context, Question question, IReadOnlyList<Passage> passages, TurnTimings timings, CancellationToken cancellationToken)
    {
        if (question.Kind != SmallTalkKind.None)
        {
            return AnswerSmallTalk(question, timings);
        }

        var answer = passages.Count == 0 ? null : BuiltInResponder.Answer(
            question, passages, await vocabularies.Get(organization.Id, cancellationToken).ConfigureAwait(false), _options.MaxExtractLength);
        timings.End("answer");
        var record = BuiltIn(timings) with { Passages = Passage.ToJson([.. (answer?.Passages ?? []).Concat(passages).DistinctBy(passage => passage.ChunkId).Take(knowledge.Value.Passages)]), Error = agent.ModelProblem };
        return answer is null ? FallBack(agent.Persona, question.Language, context.PreviousOutcome, record) : Reply(ReplyChecks.Cut(answer.Text, _options.MaxReplyLength), record);
    }

    private async Task<TurnResult> AnswerWithModel(
        OrganizationAgents organization, AgentConfiguration agent, ConversationContext context, Question question, IReadOnlyList<Passage> passages, TurnTimings timings, CancellationToken cancellationToken)
    {
        var record = new TurnRecord
        {
            Responder = "model",
            Provider = agent.Model!.Provider,
            Model = agent.Model.ModelId,
            PromptVariantId = agent.Variant?.Id,
            Passages = Passage.ToJson(passages),
        };
        try
        {
            var budget = Budget(agent.Model, agent.MaxTokens);
            var handover = ReplyChecks.NewHandoverMark();
            List<ChatMessage> prompt = PromptAssembly.Build(organization, agent, context, question, passages, budget, handover, time.GetUtcNow());
            record = record with { Prompt = PromptAssembly.ToJson(prompt) };
            timings.End("prompt");
            ModelAnswer answer;
            try
            {
                answer = await Ask(agent, prompt, cancellationToken).ConfigureAwait(false);
            }
            catch (LlmException failure) when (failure.Kind == LlmErrorKind.ContextLength)
            {
                // The estimate was too low, or the server reads less than it says. Half of everything is still an answer.
                prompt = PromptAssembly.Build(
                    organization, agent, context, question, passages, new PromptBudget(budget.HistoryTokens / 4, Math.Min(2, budget.Passages), budget.MessageLength / 4), handover, time.GetUtcNow());
                record = record with { Prompt = PromptAssembly.ToJson(prompt) };
                answer = await Ask(agent, prompt, cancellationToken).ConfigureAwait(false);
            }

            timings.End("model");
            record = record with
            {
                Provider = answer.Endpoint.Provider,
                Model = answer.Endpoint.ModelId,
                InputTokens = answer.InputTokens,
                OutputTokens = answer.OutputTokens,
                TokensEstimated = answer.TokensEstimated,
                Cost = answer.Cost,
                Error = answer.FirstFailure ?? agent.ModelProblem,
            };
            var reply = ReplyChecks.Check(answer.Text, handover, _options.MaxReplyLength);
            timings.End("checks");
            record = record with { Timings = timings.ToJson() };
            return reply switch
            {
                null => FallBack(agent.Persona, question.Language, context.PreviousOutcome, record with { Error = "The model's answer says nothing." }),
                { HandsOver: true } => Reply(reply.Text.Length > 0 ? reply.Text : StandardTexts.For(question.Language).PersonIsComing, record) with { Outcome = "escalated", Escalate = true },
                _ => Reply(reply.Text, record),
            };
        }
        catch (LlmException failure)
        {
            timings.End("model");
            return FallBack(agent.Persona, question.Language, context.PreviousOutcome, record with { Error = failure.Message, Timings = timings.ToJson() });
        }
    }

    private Task<ModelAnswer> Ask(AgentConfiguration agent, List<ChatMessage> prompt, CancellationToken cancellationToken) =>
        models.Ask(agent.FallbackModel is { } next && next != agent.Model ? [agent.Model!, next] : [agent.Model!], prompt, agent.Temperature, agent.MaxTokens, cancellationToken);

    /// <summary>What the model can read beside the instructions and the answer, where that is known and less than the settings allow.</summary>
    private PromptBudget Budget(ModelEndpoint model, int maxTokens)
    {
        var history = model.ContextWindow is { } window
            ? Math.Clamp(window - maxTokens - (knowledge.Value.Passages * knowledge.Value.MaxChunkTokens) - InstructionTokens, 0, _options.HistoryTokens)
            : _options.HistoryTokens;
        return new PromptBudget(history, knowledge.Value.Passages, _options.MessageLength);
    }

    private static TurnResult AnswerSmallTalk(Question question, TurnTimings timings)
    {
        var texts = StandardTexts.For(question.Language);
        return question.Kind switch
        {
            SmallTalkKind.Thanks => Reply(texts.YouAreWelcome, BuiltIn(timings)),
            SmallTalkKind.Goodbye => Reply(texts.Goodbye, BuiltIn(timings)),
            SmallTalkKind.WantsPerson => Reply(texts.PersonIsComing, BuiltIn(timings)) with { Outcome = "escalated", Escalate = true },
            _ => Reply(texts.Greeting, BuiltIn(timings)),
        };
    }

    private static TurnResult Reply(string text, TurnRecord record) => new() { Replies = [new OutgoingContent { Text = text }], Outcome = "replied", Record = record };

    private TurnResult FallBack(PersonaConfiguration persona, string language, string? previousOutcome, TurnRecord record)
    {
        var fallback = Fallback.Decide(persona, language, previousOutcome);
        return new TurnResult
        {
            Replies = [new OutgoingContent { Text = ReplyChecks.Cut(fallback.Text, _options.MaxReplyLength) }],
            Outcome = fallback.Outcome,
            Escalate = fallback.Escalate,
            Record = record,
        };
    }

    private static TurnRecord BuiltIn(TurnTimings timings) => new() { Responder = "built_in", Timings = timings.ToJson() };

    private static Func<string> NameOf(TurnRequest request) => () => $"Turn {request.TurnId} of conversation {request.ConversationId} of channel {request.ChannelId}";

    /// <summary>While Postgres is away the turn waits: its answer couldn't be committed either, and a fall-back message would be wrong a moment later.</summary>
    private async Task<T> WhenAvailable<T>(Func<string> waiting, Func<CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        for (var wait = FirstWait; ; wait = wait * 2 > LongestWait ? LongestWait : wait * 2)
        {
            try
            {
                return await read(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception failure) when (PostgresFailures.IsUnavailable(failure))
            {
                LogWaiting(waiting(), failure.GetType().Name, wait.TotalMilliseconds);
                await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    [LoggerMessage(2411, LogLevel.Error, "Turn {TurnId} of conversation {ConversationId} of channel {ChannelId} failed; the customer gets the fall-back message")]
    private partial void LogFailed(Exception failure, Guid turnId, Guid conversationId, Guid channelId);

    [LoggerMessage(2412, LogLevel.Warning, "{Waiting} waits for Postgres ({Failure}); it asks again in {Milliseconds} ms")]
    private partial void LogWaiting(string waiting, string failure, double milliseconds);
}
