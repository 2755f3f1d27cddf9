using System.Collections.Frozen;
using System.Text.Json;
using AgentPlatform.Grains.Llm;
using Npgsql;

namespace AgentPlatform.Grains.Agents;

/// <summary>The rows of one organization on their way to <see cref="OrganizationAgents"/>: models meet their keys, agents their models.</summary>
internal sealed class AgentRows(Guid organizationId)
{
    private const string BuiltIn = "built_in";
    private const string OpenAiEmbeddingModel = "text-embedding-3-large";

    private readonly List<ModelRow> _models = [];
    private readonly Dictionary<string, (Uri BaseUrl, string Key, bool IsDefaultUrl)> _credentials = new(StringComparer.Ordinal);
    private readonly Dictionary<Guid, AgentConfiguration> _agents = [];
    private readonly List<AgentModels> _choices = [];
    private readonly List<(Guid Id, string? Model, float? Temperature)> _channels = [];

    public Guid OrganizationId => organizationId;

    public string Name { get; set; } = "";

    public string TimeZone { get; set; } = "UTC";

    /// <summary>Default prompts by type of agent.</summary>
    public Dictionary<string, PromptVariant> Variants { get; } = new(StringComparer.Ordinal);

    /// <summary>Why a provider's key can't be used.</summary>
    public Dictionary<string, string> CredentialProblems { get; } = new(StringComparer.Ordinal);

    public void AddModel(NpgsqlDataReader row) => _models.Add(new ModelRow(
        row.GetGuid(0),
        IsOwn: !row.IsDBNull(1),
        row.GetString(2),
        row.GetString(3),
        row.IsDBNull(4) ? null : row.GetInt32(4),
        row.GetDecimal(5),
        row.GetDecimal(6),
        row.GetBoolean(7),
        ReadCapabilities(row.GetString(8))));

    public void AddCredential(string provider, string? baseUrl, string key)
    {
        var address = string.IsNullOrWhiteSpace(baseUrl) ? DefaultBaseUrl(provider) : baseUrl.Trim();
        if (address is null || !Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out var url))
        {
            CredentialProblems[provider] = $"The base URL for {provider} is missing or is not a URL.";
            return;
        }

        _credentials[provider] = (url, key, string.IsNullOrWhiteSpace(baseUrl));
    }

    public void AddAgent(NpgsqlDataReader row)
    {
        var id = row.GetGuid(0);
        string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);
        _agents[id] = new AgentConfiguration
        {
            Id = id,
            Name = row.GetString(1),
            Description = Text(2),
            AgentType = row.GetString(3),
            Instructions = Text(4),
            SystemPrompt = Text(5),
            Goals = [.. row.GetFieldValue<string[]>(6)],
            Temperature = (float)row.GetDecimal(7),
            MaxTokens = row.GetInt32(8),
            Persona = row.IsDBNull(12)
                ? PersonaConfiguration.None
                : new PersonaConfiguration(Text(12), row.GetString(13), Text(14), Text(15), Enum.Parse<EscalationPolicy>(row.GetString(16), ignoreCase: true)),
            Variant = Variants.GetValueOrDefault(row.GetString(3)),
        };
        _choices.Add(new AgentModels(id, row.IsDBNull(9) ? null : row.GetGuid(9), row.IsDBNull(10) ? null : row.GetGuid(10), Text(11)));
    }

    public void AddChannel(NpgsqlDataReader row) => _channels.Add((row.GetGuid(0), row.IsDBNull(1) ? null : row.GetString(1), row.IsDBNull(2) ? null : (float)row.GetDecimal(2)));

    public OrganizationAgents Build()
    {
        foreach (var choice in _choices)
        {
            var (model, problem) = ChooseModel(choice);
            var next = choice.FallbackId is { } id && _models.Find(row => row.Id == id) is { } row ? Connect(row).Model : null;
            _agents[choice.AgentId] = _agents[choice.AgentId] with { Model = model ?? next, FallbackModel = model is null ? null : next, ModelProblem = problem };
        }

        return new OrganizationAgents
        {
            Id = organizationId,
            Name = Name,
            TimeZone = TimeZone,
            Agents = _agents.ToFrozenDictionary(),
            Channels = _channels.ToFrozenDictionary(channel => channel.Id, channel =>
            {
                var (model, problem) = string.IsNullOrWhiteSpace(channel.Model) ? (null, null) : NamedModel(channel.Model);
                return new ChannelConfiguration(model, problem, channel.Temperature);
            }),
            Embedder = ChooseEmbedder(),
        };
    }

    /// <summary>The agent's model, else the model that it names, else the organization's default, else everyone's.</summary>
    private (ModelEndpoint? Model, string? Problem) ChooseModel(AgentModels choice)
    {
        if (choice.ModelId is { } id && _models.Find(model => model.Id == id) is { } chosen)
        {
            return Connect(chosen);
        }

        if (!string.IsNullOrWhiteSpace(choice.DefaultModel))
        {
            return NamedModel(choice.DefaultModel);
        }

        // A default that has no key is no choice that anybody made: not a problem, only not a model.
        var usable = _models.Where(model => model.IsDefault && model.Capabilities.Embeddings != true).Select(model => Connect(model).Model).FirstOrDefault(model => model is not null);
        return (usable, null);
    }

    /// <summary>A model by the provider's name for it; one that is not listed is looked for at the only provider that there is a key for.</summary>
    private (ModelEndpoint? Model, string? Problem) NamedModel(string name) => _models.Find(model => model.ModelId == name) is { } named
        ? Connect(named)
        : _credentials.Count == 1
            ? Connect(new ModelRow(Guid.Empty, true, _credentials.Keys.Single(), name, null, 0, 0, false, new ModelCapabilities()))
            : (null, $"The model {name} is not among the organization's models.");

    private (ModelEndpoint? Model, string? Problem) Connect(ModelRow row)
    {
        if (row.Provider == BuiltIn)
        {
            return (null, null);
        }

        if (!_credentials.TryGetValue(row.Provider, out var credential))
        {
            return (null, CredentialProblems.GetValueOrDefault(row.Provider, $"There is no active key for {row.Provider}."));
        }

        return (new ModelEndpoint
        {
            OrganizationId = organizationId,
            Provider = row.Provider,
            ModelId = row.ModelId,
            BaseUrl = credential.BaseUrl,
            ApiKey = credential.Key,
            ContextWindow = row.ContextWindow,
            InputCostPer1K = row.InputCost,
            OutputCostPer1K = row.OutputCost,
            Capabilities = row.Capabilities,
        }, null);
    }

    /// <summary>A model that is marked for embeddings and has a key; else OpenAI's own, where the organization has a key for OpenAI itself.</summary>
    private ModelEndpoint? ChooseEmbedder()
    {
        var marked = _models.Where(model => model.Capabilities.Embeddings == true).Select(model => Connect(model).Model).FirstOrDefault(model => model is not null);
        if (marked is not null || !_credentials.TryGetValue("openai", out var credential) || !credential.IsDefaultUrl)
        {
            return marked;
        }

        return Connect(new ModelRow(Guid.Empty, true, "openai", OpenAiEmbeddingModel, null, 0, 0, false, new ModelCapabilities { Embeddings = true })).Model;
    }

    private static string? DefaultBaseUrl(string provider) => provider switch
    {
        "openai" => "https://api.openai.com/v1",
        "anthropic" => "https://api.anthropic.com/v1", // both have endpoints that speak OpenAI's protocol
        "google" => "https://generativelanguage.googleapis.com/v1beta/openai",
        _ => null,
    };

    private static ModelCapabilities ReadCapabilities(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ModelCapabilitiesJson.Default.ModelCapabilities) ?? new ModelCapabilities();
        }
        catch (JsonException)
        {
            // Flags of another shape (a list of names, for one) say nothing about the protocol.
            return new ModelCapabilities();
        }
    }

    private sealed record ModelRow(
        Guid Id, bool IsOwn, string Provider, string ModelId, int? ContextWindow, decimal InputCost, decimal OutputCost, bool IsDefault, ModelCapabilities Capabilities);

    private sealed record AgentModels(Guid AgentId, Guid? ModelId, Guid? FallbackId, string? DefaultModel);
}
