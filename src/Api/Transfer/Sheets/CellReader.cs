using System.Globalization;
using System.Text;
using System.Text.Json;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Jobs;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>Makes values of cells, by the type of the field that they are for and the file's dialect. What can't be told for sure is refused.</summary>
internal sealed class CellReader(CsvDialect dialect, bool hasCurrency)
{
    private readonly TimeZoneInfo _zone = TimeZoneInfo.TryFindSystemTimeZoneById(dialect.TimeZone, out var zone) ? zone
        : throw new JobFailedException($"The organization's time zone, {dialect.TimeZone}, is not known here.");

    /// <summary>The value of a cell; null, with a note of what is wrong, where it doesn't fit. Gives what stands beside an amount for its currency.</summary>
    public object? Read(Field field, string cell, Violations violations, out string? currency)
    {
        currency = null;
        var text = CsvText.Unguard(cell);
        var pointer = $"/{field.Name}";
        switch (field.Type)
        {
            case TextListType list when !text.StartsWith('['):
                return ReadJson(list, JsonSerializer.SerializeToUtf8Bytes(text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)), pointer, violations);
            // What has an apostrophe in front was meant so.
            case TextType when text.Length == cell.Length && CellDamage.Of(text) is { } damage:
                violations.Add(pointer, damage);
                return null;
            case IntegerType or NumberType:
                return ReadNumber(field, text, pointer, violations, out currency);
            case DateType or TimestampType:
                return ReadDate(field, text, pointer, violations);
            case BooleanType:
                return CellFlag.Read(text) ?? Refuse(field, pointer, violations);
            case ChoiceType choice:
                return choice.ReadText(text) ?? choice.Values.FirstOrDefault(value => value.Equals(text, StringComparison.OrdinalIgnoreCase)) ?? Refuse(field, pointer, violations);
            case TextType or UuidType:
                return field.Type.ReadText(text) ?? Refuse(field, pointer, violations);
            default:
                return ReadJson(field.Type, Encoding.UTF8.GetBytes(text), pointer, violations);
        }
    }

    private object? ReadNumber(Field field, string text, string pointer, Violations violations, out string? currency)
    {
        var number = CellNumber.Read(text);
        currency = number.Currency;
        if (number.IsNumber && (number.Currency is null || (hasCurrency && field.Type is NumberType)))
        {
            if (number.Value(dialect.DecimalSign) is { } value)
            {
                return field.Type.ReadText(value.ToString("0.############################", CultureInfo.InvariantCulture)) ?? Refuse(field, pointer, violations);
            }
            return Refuse(field, pointer, violations, $"; the decimal sign is \"{dialect.DecimalSign}\"");
        }
        return Refuse(field, pointer, violations, text.Contains('%', StringComparison.Ordinal) ? ", without a percent sign" : CellDamage.Of(text) is not null ? ", with all of its digits" : "");
    }

    private object? ReadDate(Field field, string text, string pointer, Violations violations)
    {
        // As an export writes it.
        if (field.Type.ReadText(text) is { } written)
        {
            return written;
        }
        var date = CellDate.Read(text);
        if (date.Value(dialect.DateOrder) is not { } local)
        {
            return Refuse(field, pointer, violations, date.IsDate ? $"; the order of day and month is {dialect.DateOrder}" : "");
        }
        if (field.Type is DateType)
        {
            return local.TimeOfDay == TimeSpan.Zero ? DateOnly.FromDateTime(local) : Refuse(field, pointer, violations, ", without a time");
        }
        if (date.Offset is null && (_zone.IsInvalidTime(local) || _zone.IsAmbiguousTime(local)))
        {
            return Refuse(field, pointer, violations, $": {(_zone.IsInvalidTime(local) ? "that hour is left out" : "that hour comes twice")} in {dialect.TimeZone} when the clocks change");
        }
        var offset = date.Offset ?? _zone.GetUtcOffset(local);
        // The year of the text is possible, so this is a moment; an offset may still lead out of what is possible.
        var moment = new DateTimeOffset(local.Ticks - offset.Ticks, TimeSpan.Zero);
        return PossibleDays.Hold(moment) ? moment : Refuse(field, pointer, violations);
    }

    private static object? Refuse(Field field, string pointer, Violations violations, string more = "")
    {
        violations.Add(pointer, $"must be {field.Type.Expectation}{more}.");
        return null;
    }

    private static object? ReadJson(FieldType type, byte[] json, string pointer, Violations violations)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return type.Read(document.RootElement, pointer, violations);
        }
        catch (JsonException)
        {
            violations.Add(pointer, $"must be {type.Expectation}, written as JSON.");
            return null;
        }
    }
}
