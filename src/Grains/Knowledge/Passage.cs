using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentPlatform.Grains.Knowledge;

/// <summary>A piece of knowledge that was found for a question.</summary>
internal sealed record Passage
{
    public required Guid ChunkId { get; init; }
    public Guid? ArticleId { get; init; }
    public Guid? SourceId { get; init; }

    /// <summary>Of the article or source: the citation.</summary>
    public required string Title { get; init; }

    /// <summary>Of the article.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>The headings that the piece stands under, or null.</summary>
    public string? Heading { get; init; }

    /// <summary>The piece without its heading.</summary>
    public required string Text { get; init; }

    /// <summary>ISO 639-1, or null.</summary>
    public string? Language { get; init; }

    /// <summary>Cosine similarity to the question; null when it was found by words alone.</summary>
    public double? Similarity { get; init; }

    /// <summary>Place among the pieces found by meaning, from 1.</summary>
    public int? VectorRank { get; init; }

    /// <summary>Place among the pieces found by words, from 1.</summary>
    public int? TextRank { get; init; }

    /// <summary>How much of what the question asks the piece speaks about, by weight: 0 to about 1.</summary>
    public double Coverage { get; init; }

    /// <summary>How well its heading fits the question: decides between pieces that speak of the same.</summary>
    public double HeadingFit { get; init; }

    /// <summary>What the best piece is chosen by.</summary>
    public double Fit => Coverage + HeadingFit;

    /// <summary>The fused score that passages are ordered by.</summary>
    public double Score { get; init; }

    /// <summary>What a model and a reader are shown.</summary>
    public string Content => Heading is null ? Text : $"{Heading}\n{Text}";

    /// <summary>JSON for <c>turns.passages</c>; null for none.</summary>
    public static string? ToJson(IReadOnlyCollection<Passage> passages) => passages.Count == 0
        ? null
        : JsonSerializer.Serialize([.. passages.Select(passage => new PassageRecord(
            passage.ChunkId, passage.ArticleId, passage.SourceId, passage.Title, passage.Content, Math.Round(passage.Score, 6), passage.VectorRank, passage.TextRank))],
            PassageJson.Default.PassageRecordArray);
}

/// <summary>One element of <c>turns.passages</c>.</summary>
internal sealed record PassageRecord(Guid ChunkId, Guid? ArticleId, Guid? SourceId, string Title, string Content, double Score, int? VectorRank, int? TextRank);

[JsonSerializable(typeof(PassageRecord[]))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class PassageJson : JsonSerializerContext;
