using System.Collections.Immutable;
using System.Text.Json.Serialization;
using AgentPlatform.Api.Transfer.Sheets;

namespace AgentPlatform.Api.Transfer;

/// <summary>That rows of a resource can be imported, and how rows that exist are recognised.</summary>
/// <param name="Keys">Fields that can be the key of an upsert. A line whose value several rows share is told so.</param>
public sealed record ImportRule(params ImmutableArray<string> Keys)
{
    /// <summary>A required reference within which the keys are unique; null where they are in the whole organization.</summary>
    public string? Within { get; init; }

    /// <summary>Times of the past that the product sets by itself elsewhere: what was done before it came here keeps its time.</summary>
    public ImmutableArray<string> Kept { get; init; } = [];
}

/// <summary>What was asked for: the payload of an import job.</summary>
internal sealed record ImportOrder
{
    public required string Resource { get; init; }

    public required Guid FileId { get; init; }

    /// <summary><c>csv</c> or <c>json</c>.</summary>
    public required string Format { get; init; }

    /// <summary>The field by which rows that exist are recognised and changed; null to create only.</summary>
    public string? Key { get; init; }

    /// <summary>Everything is checked, nothing is kept.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>One of <see cref="CsvDialect.Delimiters"/>; null, as with the three below, for what the file shows.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Delimiter { get; init; }

    /// <summary>One of <see cref="CsvEncoding.Names"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Encoding { get; init; }

    /// <summary>One of <see cref="CsvDialect.DecimalSigns"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? DecimalSign { get; init; }

    /// <summary>One of <see cref="CsvDialect.DateOrders"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? DateOrder { get; init; }

    /// <summary>Column of the file → field; an empty text leaves the column out.</summary>
    public Dictionary<string, string> Mapping { get; init; } = [];
}

/// <summary>A line that is read and fits its resource's shape.</summary>
internal sealed record ImportLine(long Line, Shapes.ShapeValues Values);

/// <summary>What is wrong with a line.</summary>
internal sealed record LineError(long Line, string? Field, string Detail);

/// <summary>What was read in the place of a line.</summary>
/// <param name="Line">The line; null where something is wrong with it, or nothing is in it.</param>
/// <param name="Errors">What is wrong. None without a line either: it is a row of a sheet without any value.</param>
internal readonly record struct ReadLine(ImportLine? Line, ImmutableArray<LineError> Errors)
{
    public bool IsBlank => Line is null && Errors.IsEmpty;
}
