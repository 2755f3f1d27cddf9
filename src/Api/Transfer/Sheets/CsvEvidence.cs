using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>
/// What a whole file shows about two ways of reading its cells. A cell that fits one way alone shows it; one that fits both needs to be told. Nothing is decided cell by cell: where a
/// cell needs it and the file shows neither way, or both, the import ends before its first line.
/// </summary>
/// <param name="option">The option by which whoever imports can say it.</param>
/// <param name="first">The option's value for the first way.</param>
/// <param name="second">The same for the second.</param>
internal sealed class CsvEvidence(string option, string first, string second)
{
    /// <summary>Characters of a cell that are told.</summary>
    private const int ToldLength = 40;

    private Cell? _first;
    private Cell? _second;
    private Cell? _open;
    private bool _isUsuallyFirst;

    public void Look(CsvCell reading, long line, string column, string text)
    {
        ref var place = ref _open;
        switch (reading)
        {
            case CsvCell.None:
                return;
            case CsvCell.UsuallyFirst:
                _isUsuallyFirst = true;
                return;
            case CsvCell.First:
                place = ref _first;
                break;
            case CsvCell.Second:
                place = ref _second;
                break;
            default:
                break;
        }
        place ??= new(line, column, text.Length > ToldLength ? text[..ToldLength] : text);
    }

    /// <summary>The option's value that the file shows; null where no cell needs one and the file is not of one kind.</summary>
    /// <exception cref="JobFailedException">A cell needs it, and the file doesn't show it.</exception>
    public string? Decide()
    {
        if (_first is null != _second is null)
        {
            return _first is not null ? first : second;
        }
        if (_first is not null && (_open is not null || _isUsuallyFirst))
        {
            throw new JobFailedException($"The file has {_first} and {_second}, so that it doesn't tell how to read {_open?.ToString() ?? "the others"}. Say `{option}`, \"{first}\" or \"{second}\".");
        }
        if (_open is not null)
        {
            throw new JobFailedException($"The file has {_open}, which can be read in two ways, and no other line tells in which. Say `{option}`, \"{first}\" or \"{second}\".");
        }
        return _isUsuallyFirst ? first : null;
    }

    private sealed record Cell(long Line, string Column, string Text)
    {
        public override string ToString() => $"\"{JsonText.Storable(Text)}\" for {Column} in line {Line}";
    }
}

/// <summary>What one cell shows.</summary>
internal enum CsvCell
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It fits the first way alone.</summary>
    First,

    /// <summary>It fits the second way alone.</summary>
    Second,

    /// <summary>It fits both, and means something else in each.</summary>
    Either,

    /// <summary>The same, but it is written as the first way usually is: enough where the file shows nothing else.</summary>
    UsuallyFirst,
}
