using System.Text.Json;
using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Knowledge.Text;
using Microsoft.Extensions.Options;
using Npgsql;

namespace AgentPlatform.Grains.Knowledge;

/// <summary>In how many of an organization's chunks each word stands: what makes "visa" say more than "tour" in the knowledge of a tour company. Hashes instead of words keep it small.</summary>
internal sealed class KnowledgeVocabulary
{
    /// <summary>A language with fewer chunks is judged by all of them.</summary>
    private const int FewestChunks = 3;

    private readonly Dictionary<int, int> _frequencies = [];
    private readonly Dictionary<string, int> _chunks = new(StringComparer.Ordinal);
    private int _all;

    /// <summary>Counts one chunk's words.</summary>
    public void Add(PassageWords words)
    {
        _all++;
        var language = words.Language ?? "";
        _chunks[language] = _chunks.GetValueOrDefault(language) + 1;
        var seen = new HashSet<int>();
        foreach (var term in words.Text.Terms.Concat(words.Heading.Terms).Concat(words.Title.Terms))
        {
            Count(seen, language, term.Stem);
            foreach (var concept in Concepts.Of(term.Stem))
            {
                Count(seen, language, ConceptKey(concept));
            }
        }
    }

    /// <summary>Chunks in the language, or all where there are too few, and how many of them speak of the term.</summary>
    public (int Chunks, int Frequency) Of(Term term, string? language)
    {
        var isJudgedByAll = language is null || _chunks.GetValueOrDefault(language) < FewestChunks;
        var scope = isJudgedByAll ? AllLanguages : language!;
        var frequency = _frequencies.GetValueOrDefault(Key(scope, term.Stem));
        foreach (var concept in Concepts.Of(term.Stem))
        {
            frequency = Math.Max(frequency, _frequencies.GetValueOrDefault(Key(scope, ConceptKey(concept))));
        }

        return (isJudgedByAll ? _all : _chunks[scope], frequency);
    }

    private const string AllLanguages = "*";

    private static string ConceptKey(string concept) => "#" + concept;

    private static int Key(string scope, string word) => HashCode.Combine(scope, word);

    private void Count(HashSet<int> seen, string language, string word)
    {
        if (seen.Add(Key(language, word)))
        {
            foreach (var key in (int[])[Key(language, word), Key(AllLanguages, word)])
            {
                _frequencies[key] = _frequencies.GetValueOrDefault(key) + 1;
            }
        }
    }
}

/// <summary>Remembers the vocabularies of the organizations that ask.</summary>
internal sealed class KnowledgeVocabularies : IDisposable
{
    private readonly EngineDataSource _database;
    private readonly KnowledgeOptions _options;
    private readonly OrganizationCache<KnowledgeVocabulary> _cache;

    public KnowledgeVocabularies(EngineDataSource database, ConfigurationChanges changes, IOptions<KnowledgeOptions> options)
    {
        _database = database;
        _options = options.Value;
        _cache = new OrganizationCache<KnowledgeVocabulary>(changes, ["knowledge_articles", "knowledge_sources"], _options.CachedVocabularies, Load);
    }

    /// <summary>The organization's vocabulary.</summary>
    public ValueTask<KnowledgeVocabulary> Get(Guid organizationId, CancellationToken cancellationToken) => _cache.Get(organizationId, cancellationToken);

    /// <inheritdoc />
    public void Dispose() => _cache.Dispose();

    private async Task<KnowledgeVocabulary> Load(Guid organizationId)
    {
        await using var command = _database.CreateCommand("SELECT content, language, metadata::text FROM knowledge_chunks WHERE organization_id = $1 ORDER BY id LIMIT $2");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = organizationId });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = _options.VocabularyChunks });
        var vocabulary = new KnowledgeVocabulary();
        await using var reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
        while (await reader.ReadAsync().ConfigureAwait(false))
        {
            var metadata = ChunkMetadata.Parse(reader.GetString(2));
            vocabulary.Add(PassageWords.Read(metadata.Title ?? "", metadata.Tags, metadata.Heading, reader.GetString(0), reader.IsDBNull(1) ? null : reader.GetString(1)));
        }

        return vocabulary;
    }
}

/// <summary><c>knowledge_chunks.metadata</c> of the chunks that the product makes.</summary>
/// <param name="Title">Title of the article or name of the source.</param>
/// <param name="Heading">The headings that the chunk stands under; its content begins with them.</param>
/// <param name="Tags">The article's tags.</param>
internal sealed record ChunkMetadata(string? Title, string? Heading, IReadOnlyList<string> Tags)
{
    /// <summary>Reads the column; members of another shape are ignored.</summary>
    public static ChunkMetadata Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        return root.ValueKind != JsonValueKind.Object ? new ChunkMetadata(null, null, []) : new ChunkMetadata(
            Text(root, "title"),
            Text(root, "heading"),
            root.TryGetProperty("tags", out var tags) && tags.ValueKind == JsonValueKind.Array ? [.. tags.EnumerateArray().Where(tag => tag.ValueKind == JsonValueKind.String).Select(tag => tag.GetString()!)] : []);
    }

    /// <summary>Writes the column.</summary>
    public string ToJson() => new System.Text.Json.Nodes.JsonObject
    {
        ["title"] = Title,
        ["heading"] = Heading,
        ["tags"] = new System.Text.Json.Nodes.JsonArray([.. Tags.Select(tag => (System.Text.Json.Nodes.JsonNode)tag)]),
    }.ToJsonString();

    private static string? Text(JsonElement root, string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
