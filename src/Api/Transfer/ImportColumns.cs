using System.Buffers;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Transfer;

/// <summary>Which field each column of a file fills: the one of its name, or the one that the mapping names.</summary>
internal sealed partial class ImportColumns(Resource resource, ImportOrder order)
{
    /// <summary>What some programs divide lines with.</summary>
    private static readonly SearchValues<char> OtherDelimiters = SearchValues.Create("|^~\u00A6\u001F");

    private readonly ImportShape _shape = ImportShape.Of(resource);
    private readonly FrozenDictionary<string, string> _mapping = order.Mapping.DistinctBy(pair => ComparableText.Of(pair.Key)).ToFrozenDictionary(pair => ComparableText.Of(pair.Key), pair => pair.Value);

    /// <summary>The names of a header, in which the second column of a name is called <c>name (2)</c>, the third <c>name (3)</c>.</summary>
    public static ImmutableArray<string> Named(IEnumerable<string> header)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var names = ImmutableArray.CreateBuilder<string>();
        foreach (var name in header)
        {
            var count = counts[ComparableText.Of(name)] = counts.GetValueOrDefault(ComparableText.Of(name)) + 1;
            names.Add(count == 1 || ComparableText.IsBlank(name) ? name : string.Create(CultureInfo.InvariantCulture, $"{name.Trim()} ({count})"));
        }
        return names.ToImmutable();
    }

    /// <summary>False for a column that is unknown; the field is null for one that is passed over.</summary>
    public bool TryFind(string column, out Field? field)
    {
        field = null;
        var name = _mapping.GetValueOrDefault(ComparableText.Of(column)) ?? column;
        return (ComparableText.IsBlank(name) && !name.Any(char.IsControl)) || _shape.TryFind(name, out field)
            // What is passed over is so however often it is there.
            || (Repeated().Match(name) is { Success: true } again && TryFind(again.Groups[1].Value, out var first) && first is null);
    }

    /// <summary>The field that a column fills; null for one that is passed over.</summary>
    /// <exception cref="JobFailedException">The column is unknown.</exception>
    public Field? Find(string column) => TryFind(column, out var field)
        ? field
        : throw new JobFailedException($"{Repetition(column)}\"{(column.Length > 100 ? column[..100] : column).Replace('\0', '\uFFFD')}\" is not a field of {resource.Path}. Name the field that it fills in `mapping`, or an empty text to leave it out.{Hint(column)}");

    [GeneratedRegex(@"^(.+) \([0-9]+\)$", RegexOptions.CultureInvariant)]
    private static partial Regex Repeated();

    /// <summary>Said first where the same column stands before it.</summary>
    private string Repetition(string column) =>
        Repeated().Match(column) is { Success: true } again && TryFind(again.Groups[1].Value, out var field) && field is not null ? $"Two columns of the file fill {field.Name}; the second is called {again.Groups[1].Value} (2) here, the next (3). " : "";

    /// <summary>A header that was not divided tells of another delimiter.</summary>
    private string Hint(string column) =>
        order.Format != "csv" ? ""
        : order.Delimiter is { } given && Sheets.CsvDialect.Delimiters.Any(other => other != given && column.Contains(other, StringComparison.Ordinal)) ? " The header looks as if `delimiter` were another one."
        : column.AsSpan().ContainsAny(OtherDelimiters) ? " If the header is divided there: the `delimiter` must be a comma, a semicolon or a tab."
        : "";
}
