using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Json;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Grains.Archives;

/// <summary>
/// Writes the rows of one table as they are to be here: ids translated, values as the API would have kept them, numbers that leave room. What a row says besides the table's
/// columns, or of the organization that it belongs to, counts for nothing.
/// </summary>
/// <param name="taken">The columns that rows may bring.</param>
/// <param name="rules">Those that people give, and what the API asks of them.</param>
/// <param name="ids">Ids here.</param>
internal sealed class ArchiveTableWriter(IReadOnlyList<TenantColumn> taken, IReadOnlyDictionary<string, IColumnRule> rules, ArchiveIds ids) : IDisposable
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private readonly ArrayBufferWriter<byte> _rows = new();
    private readonly Utf8JsonWriter _json = new(Stream.Null, Options);
    private TenantColumn[]? _columns;

    /// <summary>Columns that the rows have; those of the first row decide.</summary>
    public IReadOnlyList<TenantColumn> Columns => _columns ?? [];

    /// <summary>Rows that wait to be taken.</summary>
    public int Count { get; private set; }

    /// <summary>Whether enough of them wait.</summary>
    public bool IsFull => Count >= ArchiveLimits.BatchRows || _rows.WrittenCount >= ArchiveLimits.BatchBytes;

    /// <summary>Adds a row.</summary>
    /// <exception cref="JobFailedException">It holds what could not be here.</exception>
    public void Add(ArchiveRow row)
    {
        _columns ??= [.. taken.Where(column => row.Members.TryGetProperty(column.Name, out _))];
        _rows.Write(Count++ == 0 ? "["u8 : ","u8);
        _json.Reset(_rows);
        _json.WriteStartObject();
        foreach (var column in _columns)
        {
            if (row.Members.TryGetProperty(column.Name, out var value) && value.ValueKind != JsonValueKind.Null && !IsLeftOut(row, column, value))
            {
                _json.WritePropertyName(column.Name);
                Write(row, column, value);
            }
        }
        _json.WriteEndObject();
        _json.Flush();
    }

    /// <summary>The rows as a JSON array, good until <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> Taken()
    {
        _rows.Write("]"u8);
        return _rows.WrittenMemory;
    }

    /// <summary>Forgets the rows that were taken.</summary>
    public void Clear()
    {
        _rows.ResetWrittenCount();
        Count = 0;
    }

    public void Dispose() => _json.Dispose();

    private void Write(ArchiveRow row, TenantColumn column, JsonElement value)
    {
        var rule = rules.GetValueOrDefault(column.Name);
        if (rule?.Check(value, out value) is { } wrong)
        {
            throw row.Refused($"{column.Name} {wrong}");
        }
        switch (column.Type)
        {
            case "uuid":
                _json.WriteStringValue(Id(row, column, value));
                break;
            case "uuid[]" when value.ValueKind == JsonValueKind.Array:
                _json.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    _json.WriteStringValue(Id(row, column, item));
                }
                _json.WriteEndArray();
                break;
            case "smallint" or "integer" or "bigint" when rule is null:
                _json.WriteNumberValue(Counted(row, column, value));
                break;
            case "timestamp with time zone" when rule is null:
                _json.WriteStringValue(Moment(row, column, value));
                break;
            case "date" when rule is null && !(value.ValueKind == JsonValueKind.String && DateOnly.TryParseExact(value.GetString(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)):
                throw row.Refused($"{column.Name} must be a date, such as 2026-05-20.");
            case "boolean" when rule is null && value.ValueKind is not (JsonValueKind.True or JsonValueKind.False):
                throw row.Refused($"{column.Name} must be true or false.");
            case "real" or "double precision" when rule is null && value.ValueKind != JsonValueKind.Number:
            case var type when rule is null && type.StartsWith("numeric", StringComparison.Ordinal) && value.ValueKind != JsonValueKind.Number:
                throw row.Refused($"{column.Name} must be a number.");
            case "text" when rule is null && value.ValueKind == JsonValueKind.String:
                _json.WriteStringValue(JsonText.Cut(ids.Text(value.GetString()!), JsonText.MaxTextLength));
                break;
            default:
                Translate(value, rule?.NamesRows is true);
                break;
        }
    }

    /// <summary>JSON that the product keeps of what came and went may be too large to be shown beside that of other rows.</summary>
    private bool IsLeftOut(ArchiveRow row, TenantColumn column, JsonElement value)
    {
        if (column.Type != "jsonb" || rules.ContainsKey(column.Name) || JsonMarshal.GetRawUtf8Value(value).Length <= ArchiveLimits.MaxJsonBytes)
        {
            return false;
        }
        return column.IsRequired ? throw row.Refused($"{column.Name} must be JSON of at most {ArchiveLimits.MaxJsonBytes} bytes.") : true;
    }

    private Guid Id(ArchiveRow row, TenantColumn column, JsonElement value) =>
        value.ValueKind == JsonValueKind.String && Guid.TryParseExact(value.GetString(), "D", out var id) ? ids.Of(id) : throw row.Refused($"{column.Name} must be an id.");

    /// <summary>As this program writes moments: Postgres knows words for others, such as now and infinity.</summary>
    private DateTimeOffset Moment(ArchiveRow row, TenantColumn column, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String || !value.TryGetDateTimeOffset(out var moment))
        {
            throw row.Refused($"{column.Name} must be a date and time with an offset, such as 2026-05-20T09:30:00Z.");
        }
        return column.Name != "created_at" || moment <= ids.Latest ? moment : throw row.Refused($"{column.Name} must not lie in the future.");
    }

    private static long Counted(ArchiveRow row, TenantColumn column, JsonElement value)
    {
        var most = ArchiveLimits.MaxCount(column.Type switch { "smallint" => 2, "integer" => 4, _ => 8 });
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= 0 && number <= most
            ? number
            : throw row.Refused($"{column.Name} must be a whole number from 0 to {most}.");
    }

    /// <param name="value">JSON of any kind.</param>
    /// <param name="namesRows">An id that is all of a text is a row's, whether or not the archive brings it.</param>
    private void Translate(JsonElement value, bool namesRows)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                _json.WriteStartObject();
                foreach (var member in value.EnumerateObject())
                {
                    _json.WritePropertyName(ids.Text(member.Name));
                    Translate(member.Value, namesRows);
                }
                _json.WriteEndObject();
                break;
            case JsonValueKind.Array:
                _json.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    Translate(item, namesRows);
                }
                _json.WriteEndArray();
                break;
            case JsonValueKind.String:
                var text = value.GetString()!;
                _json.WriteStringValue(namesRows && Guid.TryParse(text, out var id) ? ids.Of(id).ToString() : ids.Text(text));
                break;
            default:
                value.WriteTo(_json);
                break;
        }
    }
}
