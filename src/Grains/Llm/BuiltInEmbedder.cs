using AgentPlatform.Grains.Knowledge.Text;
using Microsoft.Extensions.AI;

namespace AgentPlatform.Grains.Llm;

/// <summary>
/// Vectors without any provider: words, their stems, what they may stand for, and pieces of words, each hashed to a few of 1536 dimensions. The same text has the
/// same vector everywhere and for ever; a change of the way is a new <see cref="ModelName"/>.
/// </summary>
internal sealed class BuiltInEmbedder : IEmbeddingGenerator<string, Embedding<float>>
{
    /// <summary>Stored beside each vector.</summary>
    public const string ModelName = "built-in-1";

    /// <summary>Length of a vector.</summary>
    public const int Dimensions = 1536;

    private const float StemWeight = 1f;
    private const float ConceptWeight = 0.8f;
    private const float PieceWeight = 0.25f;
    private const int PieceLength = 4;

    /// <summary>The vector of a text, of length 1; all zeros for a text without a word.</summary>
    public static float[] Embed(string text, string? language = null)
    {
        language ??= LanguageDetector.Detect(text);
        var weights = new Dictionary<ulong, float>();
        Span<char> padded = stackalloc char[WordReader.MaxWordLength + 2];
        foreach (var term in TextWords.Terms(text, language))
        {
            Add(weights, Hash(1, term.Stem), StemWeight);
            var concepts = Concepts.Of(term.Stem);
            foreach (var concept in concepts)
            {
                Add(weights, Hash(2, concept), ConceptWeight / concepts.Length);
            }

            if (term.Word.Length >= PieceLength)
            {
                // Pieces meet where stems don't: compounds, typing errors, names in another case.
                padded[0] = '<';
                term.Word.CopyTo(padded[1..]);
                padded[term.Word.Length + 1] = '>';
                var pieces = term.Word.Length + 3 - PieceLength;
                for (var i = 0; i < pieces; i++)
                {
                    Add(weights, Hash(3, padded.Slice(i, PieceLength)), PieceWeight / MathF.Sqrt(pieces));
                }
            }
        }

        return ToVector(weights);
    }

    /// <inheritdoc />
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        var embeddings = new GeneratedEmbeddings<Embedding<float>>();
        foreach (var value in values)
        {
            cancellationToken.ThrowIfCancellationRequested();
            embeddings.Add(new Embedding<float>(Embed(value)) { ModelId = ModelName });
        }

        return Task.FromResult(embeddings);
    }

    /// <inheritdoc />
    public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

    /// <inheritdoc />
    public void Dispose()
    {
    }

    private static void Add(Dictionary<ulong, float> weights, ulong feature, float weight)
    {
        ref var sum = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(weights, feature, out _);
        sum += weight;
    }

    private static float[] ToVector(Dictionary<ulong, float> weights)
    {
        var vector = new float[Dimensions];
        foreach (var (feature, weight) in weights.OrderBy(pair => pair.Key))
        {
            // A word said often says a little more than one said once.
            var damped = weight <= 1f ? weight : 1f + MathF.Log(weight);
            var (first, second) = (feature % Dimensions, (feature >> 24) % Dimensions);
            vector[first] += (feature >> 62 & 1) == 0 ? damped : -damped;
            vector[second] += (feature >> 63) == 0 ? damped : -damped;
        }

        var length = MathF.Sqrt(vector.Sum(value => value * value));
        if (length > 0)
        {
            for (var i = 0; i < vector.Length; i++)
            {
                vector[i] /= length;
            }
        }

        return vector;
    }

    /// <summary>FNV-1a over the characters, finished with a mixer so that high bits are as good as low ones.</summary>
    private static ulong Hash(byte kind, ReadOnlySpan<char> text)
    {
        var hash = (14695981039346656037UL ^ kind) * 1099511628211UL;
        foreach (var letter in text)
        {
            hash = (hash ^ (byte)letter) * 1099511628211UL;
            hash = (hash ^ (byte)(letter >> 8)) * 1099511628211UL;
        }

        hash ^= hash >> 33;
        hash *= 0xff51afd7ed558ccdUL;
        hash ^= hash >> 33;
        hash *= 0xc4ceb9fe1a85ec53UL;
        return hash ^ hash >> 33;
    }
}
