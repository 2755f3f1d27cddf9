using System.Collections.Frozen;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Transfer;

/// <summary>Which field each column of a file fills: the one of its name, or the one that the mapping names.</summary>
internal sealed class ImportColumns(Resource resource, ImportOrder order)
{
    private readonly ImportShape _shape = ImportShape.Of(resource);
    private readonly FrozenDictionary<string, string> _mapping = order.Mapping.DistinctBy(pair => ComparableText.Of(pair.Key)).ToFrozenDictionary(pair => ComparableText.Of(pair.Key), pair => pair.Value);

    /// <summary>False for a column that is unknown; the field is null for one that is passed over.</summary>
    public bool TryFind(string column, out Field? field)
    {
        field = null;
        var name = _mapping.GetValueOrDefault(ComparableText.Of(column)) ?? column;
        return (ComparableText.IsBlank(name) && !name.Any(char.IsControl)) || _shape.TryFind(name, out field);
    }

    /// <summary>The field that a column fills; null for one that is passed over.</summary>
    /// <exception cref="JobFailedException">The column is unknown.</exception>
    public Field? Find(string column) => TryFind(column, out var field)
        ? field
        : throw new JobFailedException($"\"{(column.Length > 100 ? column[..100] : column).Replace('\0', '\uFFFD')}\" is not a field of {resource.Path}. Name the field that it fills in `mapping`, or an empty text to leave it out.{Hint(column)}");

    /// <summary>A header that was not divided tells of another delimiter.</summary>
    private string Hint(string column) =>
        order.Delimiter is { } given && Sheets.CsvDialect.Delimiters.Any(other => other != given && column.Contains(other, StringComparison.Ordinal))
            ? " The header looks as if `delimiter` were another one."
            : "";
}
