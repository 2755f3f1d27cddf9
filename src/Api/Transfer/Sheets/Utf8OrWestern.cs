using System.Text;
using System.Text.Unicode;
using AgentPlatform.Data.Jobs;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>Tells by all lines of a file whether it is UTF-8 or Windows-1252. Lines of ASCII are both.</summary>
internal sealed class Utf8OrWestern
{
    private long _utf8;
    private long _others;
    private readonly WesternText _western = new();

    public void Look(ReadOnlySpan<byte> line)
    {
        if (Ascii.IsValid(line))
        {
            return;
        }
        if (Utf8.IsValid(line))
        {
            _utf8++;
        }
        else
        {
            _others++;
            _western.Look(line);
        }
    }

    /// <summary>The encoding. Text that is not UTF-8 hardly ever looks like it: a file that is UTF-8 for the most part is, and its other lines are errors of their own.</summary>
    /// <exception cref="JobFailedException">It is neither, or some of both.</exception>
    public string Decide()
    {
        if (_utf8 >= _others)
        {
            return CsvEncoding.Utf8;
        }
        if (_utf8 > 0)
        {
            throw new JobFailedException($"The file is of several encodings: lines in UTF-8, {_utf8}; in another one, {_others}. Save it in one, or say `encoding`.");
        }
        return _western.Fits
            ? CsvEncoding.Western
            : throw new JobFailedException($"The file is not UTF-8, and may well be of another code page than Windows-1252. Say `encoding`, or save it as UTF-8. It has words such as {Data.Json.JsonText.Storable(_western.Told)}.");
    }
}
