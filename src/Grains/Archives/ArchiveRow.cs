using System.Buffers;
using System.Text.Json;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Grains.Archives;

/// <summary>A row of an archive, and where it stands.</summary>
/// <param name="Table">Its table.</param>
/// <param name="Line">Counted from 1.</param>
/// <param name="Members">Its columns, as the archive has them.</param>
internal readonly record struct ArchiveRow(string Table, long Line, JsonElement Members)
{
    private const int IdLength = 36;

    /// <summary>A text, or null where the column is absent or holds anything else.</summary>
    public string? Text(string column) => Members.TryGetProperty(column, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>An id, or null where the column is absent or holds anything else.</summary>
    public Guid? Id(string column) => Guid.TryParseExact(Text(column), "D", out var id) ? id : null;

    /// <summary>What is wrong with it, for whoever imports it.</summary>
    public JobFailedException Refused(string why) => new($"{Manifest.TableEntry(Table)}, line {Line}: {why} Nothing was imported.");

    /// <summary>
    /// Looks a line over without keeping anything of it: whether it is one JSON object of no more values and levels than a row may have, and the id in it. A document costs
    /// memory for each of its values, and a line of the allowed length could hold millions.
    /// </summary>
    public static (bool IsRow, Guid? Id) Scan(ReadOnlySequence<byte> line)
    {
        var reader = new Utf8JsonReader(line, JsonText.ReaderOptions);
        var (values, isId, id) = (0, false, (Guid?)null);
        try
        {
            while (reader.Read())
            {
                if (++values > ArchiveLimits.MaxRowValues || (values == 1 && reader.TokenType != JsonTokenType.StartObject))
                {
                    return (false, null);
                }
                if (isId)
                {
                    id = reader.TokenType == JsonTokenType.String && Length(ref reader) == IdLength && Guid.TryParseExact(reader.GetString(), "D", out var given) ? given : null;
                }
                isId = reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.ValueTextEquals("id"u8);
            }
            return (values > 0, id);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            // The framework's readers throw the second where a text holds half of a surrogate pair.
            return (false, null);
        }
    }

    private static long Length(ref Utf8JsonReader reader) => reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length;
}
