using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>Writes rows of an export as CSV.</summary>
internal sealed class CsvRows(ExportOrder order, ImmutableArray<(string Name, FieldType Type)> columns)
{
    /// <summary>The file's beginning.</summary>
    public byte[] Header() => [.. order.HasMark ? Encoding.UTF8.GetPreamble() : [], .. Encoding.UTF8.GetBytes(string.Join(order.Delimiter, columns.Select(column => column.Name)) + "\r\n")];

    /// <summary>Appends a row, which is a JSON object.</summary>
    public void Append(StringBuilder content, ReadOnlyMemory<byte> row)
    {
        using var json = JsonDocument.Parse(row);
        foreach (var (index, (name, type)) in columns.Index())
        {
            if (index > 0)
            {
                content.Append(order.Delimiter);
            }
            CsvText.Append(content, Cell(type, json.RootElement.GetProperty(name)));
        }
        content.Append("\r\n");
    }

    private string? Cell(FieldType type, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.Number => Number(value.GetRawText()),
        JsonValueKind.String when type is DateType or TimestampType or UuidType => value.GetString(),
        JsonValueKind.String => CsvText.Guard(value.GetString()!),
        JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => CsvText.Guard(value.GetRawText()),
    };

    /// <summary>With three decimals, <c>1.234</c> could be a thousand and more to whoever reads it; with a fourth it can't.</summary>
    private string Number(string text)
    {
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var written = point > 0 && text.Length - point == 4 ? text + "0" : text;
        return order.DecimalSign == "." ? written : written.Replace('.', ',');
    }
}
