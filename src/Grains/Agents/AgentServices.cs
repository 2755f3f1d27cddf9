using AgentPlatform.Data.Http;
using AgentPlatform.Grains.Knowledge;
using AgentPlatform.Grains.Llm;
using AgentPlatform.Grains.Llm.OpenAi;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.Grains.Agents;

/// <summary>Registration of what answers: agents, models and knowledge.</summary>
public static class AgentServices
{
    /// <summary>
    /// Adds <see cref="ITurnRunner"/> and all that it needs beside <c>AddData</c>. May be called more than once.
    /// Options are bound from the sections <c>Engine:Agents</c>, <c>Engine:Llm</c> and <c>Engine:Knowledge</c>.
    /// </summary>
    public static IServiceCollection AddAgents(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddLlm(configuration);
        services.AddKnowledge(configuration);
        services.AddOptions<AgentOptions>().Bind(configuration.GetSection("Engine:Agents"))
            .Validate(static options => options.Problem() is null, "Engine:Agents: every limit must be positive.").ValidateOnStart();
        services.TryAddSingleton<AgentDirectory>();
        services.TryAddSingleton<ConversationContextReader>();
        services.TryAddSingleton<TurnRunner>();
        services.TryAddSingleton<ITurnRunner>(static provider => provider.GetRequiredService<TurnRunner>());
        return services;
    }

    /// <summary>Adds calls to models.</summary>
    private static void AddLlm(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<LlmOptions>().Bind(configuration.GetSection("Engine:Llm"))
            .Validate(static options => options.Problem() is null, "Engine:Llm: a limit is out of its range; see the defaults in LlmOptions.").ValidateOnStart();
        if (!services.Any(static service => service.ServiceType == typeof(ModelCircuits)))
        {
            // Time-outs are the transport's own, silence among them.
            services.AddGuardedHttp(configuration).AddGuardedHttpClient(LlmOptions.HttpClient, Timeout.InfiniteTimeSpan);
        }

        services.TryAddSingleton<ModelCircuits>();
        services.TryAddSingleton<OpenAiTransport>();
        services.TryAddSingleton<ModelCaller>();
    }

    /// <summary>Adds search in the knowledge base, and the indexer in the background.</summary>
    private static void AddKnowledge(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<KnowledgeOptions>().Bind(configuration.GetSection("Engine:Knowledge"))
            .Validate(static options => options.Problem() is null, "Engine:Knowledge: MaxChunkTokens must be at least 20, and every other limit positive.").ValidateOnStart();
        services.TryAddSingleton<KnowledgeCensus>();
        services.TryAddSingleton<KnowledgeVocabularies>();
        services.TryAddSingleton<KnowledgeEmbedders>();
        services.TryAddSingleton<KnowledgeSearch>();
        services.TryAddSingleton<ArticleIndexer>();
        services.TryAddSingleton<VectorKeeper>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, KnowledgeIndexer>());
    }
}
