using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Shapes;

/// <summary>A whole number; 64 bits in SQL where <paramref name="IsLong"/>.</summary>
public sealed record IntegerType(long Minimum = int.MinValue, long Maximum = int.MaxValue, bool IsLong = false) : FieldType
{
    public override NpgsqlDbType DbType => IsLong ? NpgsqlDbType.Bigint : NpgsqlDbType.Integer;

    public override string Expectation => $"a whole number from {Minimum} to {Maximum}";

    public override OpenApiSchema Schema() => new()
    {
        Type = JsonSchemaType.Integer,
        Format = IsLong ? "int64" : "int32",
        Minimum = Minimum is int.MinValue or long.MinValue ? null : Minimum.ToString(CultureInfo.InvariantCulture),
        Maximum = Maximum is int.MaxValue or long.MaxValue ? null : Maximum.ToString(CultureInfo.InvariantCulture),
    };

    public override object? Read(JsonElement json, string pointer, Violations violations) =>
        json.ValueKind == JsonValueKind.Number && Whole(json) is { } number && Fit(number) is { } value ? value : Refuse(pointer, violations);

    public override object? ReadText(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? Fit(number)
        : ExactNumber.TryRead(text, out var exact) && decimal.Truncate(exact) == exact && exact is >= long.MinValue and <= long.MaxValue ? Fit((long)exact)
        : null;

    public override string WriteText(object value) => Convert.ToInt64(value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture);

    public override void Write(Utf8JsonWriter json, NpgsqlDataReader row, int column) => json.WriteNumberValue(row.GetInt64(column));

    public override JsonNode Sample() => Math.Max(Minimum, Math.Min(Maximum, 1));

    /// <summary>JSON knows one kind of number: 5.0 and 5e0 are 5, as what writes whole numbers as decimals sends it.</summary>
    private static long? Whole(JsonElement json) =>
        json.TryGetInt64(out var number) ? number
        : ExactNumber.TryRead(json, out var exact) && decimal.Truncate(exact) == exact && exact is >= long.MinValue and <= long.MaxValue ? (long)exact
        : null;

    private object? Fit(long number) => number < Minimum || number > Maximum ? null : IsLong ? (object)number : (int)number;
}

/// <summary>A decimal number with so many places.</summary>
public sealed record NumberType(decimal Minimum, decimal Maximum, int Places) : FieldType
{
    /// <summary>Decimal places that are written even where they are zero; more only where they aren't.</summary>
    public int LeastPlaces { get; init; }

    public override NpgsqlDbType DbType => NpgsqlDbType.Numeric;

    public override string Expectation => $"a number from {Minimum.ToString(CultureInfo.InvariantCulture)} to {Maximum.ToString(CultureInfo.InvariantCulture)} with at most {Places} decimal places";

    public override OpenApiSchema Schema() => new()
    {
        Type = JsonSchemaType.Number,
        Minimum = Minimum.ToString(CultureInfo.InvariantCulture),
        Maximum = Maximum.ToString(CultureInfo.InvariantCulture),
    };

    public override object? Read(JsonElement json, string pointer, Violations violations) =>
        json.ValueKind == JsonValueKind.Number && ExactNumber.TryRead(json, out var number) && Fits(number) ? number : Refuse(pointer, violations);

    public override object? ReadText(string text) =>
        ExactNumber.TryRead(text, out var number) && Fits(number) ? number : null;

    public override string WriteText(object value) => Written((decimal)value).ToString(CultureInfo.InvariantCulture);

    public override void Write(Utf8JsonWriter json, NpgsqlDataReader row, int column) => json.WriteNumberValue(Written(row.GetDecimal(column)));

    public override JsonNode Sample() => Math.Max(Minimum, Math.Min(Maximum, 1m));

    // A column has the places of the finest currency: what says nothing there isn't written.
    private decimal Written(decimal number)
    {
        while (LeastPlaces > 0 && number.Scale > LeastPlaces && decimal.Round(number, number.Scale - 1) is var shorter && shorter == number)
        {
            number = shorter;
        }
        return number;
    }

    private bool Fits(decimal number) => number >= Minimum && number <= Maximum && decimal.Round(number, Places) == number;
}

/// <summary>True or false.</summary>
public sealed record BooleanType : FieldType
{
    public override NpgsqlDbType DbType => NpgsqlDbType.Boolean;

    public override string Expectation => "true or false";

    public override OpenApiSchema Schema() => new() { Type = JsonSchemaType.Boolean };

    public override object? Read(JsonElement json, string pointer, Violations violations) =>
        json.ValueKind is JsonValueKind.True or JsonValueKind.False ? json.GetBoolean() : Refuse(pointer, violations);

    public override object? ReadText(string text) => text switch { "true" => true, "false" => false, _ => null };

    public override string WriteText(object value) => (bool)value ? "true" : "false";

    public override void Write(Utf8JsonWriter json, NpgsqlDataReader row, int column) => json.WriteBooleanValue(row.GetBoolean(column));

    public override JsonNode Sample() => true;
}

/// <summary>An id.</summary>
public sealed record UuidType : FieldType
{
    public override NpgsqlDbType DbType => NpgsqlDbType.Uuid;

    public override string Expectation => "a UUID";

    public override OpenApiSchema Schema() => new() { Type = JsonSchemaType.String, Format = "uuid" };

    public override object? Read(JsonElement json, string pointer, Violations violations) =>
        json.ValueKind == JsonValueKind.String && JsonText.TryRead(json, out var text) && ReadText(text) is { } id ? id : Refuse(pointer, violations);

    public override object? ReadText(string text) => Guid.TryParseExact(text, "D", out var id) ? id : null;

    public override string WriteText(object value) => ((Guid)value).ToString();

    public override void Write(Utf8JsonWriter json, NpgsqlDataReader row, int column) => json.WriteStringValue(row.GetGuid(column));

    public override JsonNode Sample() => "0196f1c0-7d00-7c3e-9a55-5f0c1b2a3d4e";
}

/// <summary>The days that anything here can happen on: from 1900 to the end of 2200, as the function <c>is_possible</c> of the database holds it.</summary>
internal static class PossibleDays
{
    public static readonly DateOnly First = new(1900, 1, 1);
    public static readonly DateOnly Last = new(2200, 12, 31);

    public static readonly string Told = $"from {First.Year} to {Last.Year}";

    public static bool Hold(DateOnly day) => day >= First && day <= Last;

    public static bool Hold(DateTimeOffset moment) => Hold(DateOnly.FromDateTime(moment.UtcDateTime));
}

/// <summary>A moment, in UTC on the way out; with an offset or <c>Z</c> on the way in.</summary>
public sealed record TimestampType : FieldType
{
    public override NpgsqlDbType DbType => NpgsqlDbType.TimestampTz;

    public override string Expectation => $"a date and time {PossibleDays.Told} with an offset, such as 2026-05-20T09:30:00Z";

    public override OpenApiSchema Schema() => new() { Type = JsonSchemaType.String, Format = "date-time" };

    public override object? Read(JsonElement json, string pointer, Violations violations) =>
        json.ValueKind == JsonValueKind.String && JsonText.TryRead(json, out var text) && ReadText(text) is { } moment ? moment : Refuse(pointer, violations);

    public override object? ReadText(string text) =>
        text.Length is >= 20 and <= 40 && text[10] is 'T' or 't' && (text[^1] is 'Z' or 'z' || text[^6] is '+' or '-')
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var moment) && PossibleDays.Hold(moment)
            ? moment.ToUniversalTime()
            : null;

    /// <summary>To the microsecond, as Postgres keeps it: a cursor must find its place again.</summary>
    public override string WriteText(object value) =>
        (value is DateTime time ? time : ((DateTimeOffset)value).UtcDateTime).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    public override void Write(Utf8JsonWriter json, NpgsqlDataReader row, int column) => json.WriteStringValue(WriteText(row.GetDateTime(column)));

    public override JsonNode Sample() => "2026-05-20T09:30:00Z";
}

/// <summary>A day, without a time.</summary>
public sealed record DateType : FieldType
{
    private const string Form = "yyyy-MM-dd";

    public override NpgsqlDbType DbType => NpgsqlDbType.Date;

    public override string Expectation => $"a date {PossibleDays.Told}, such as 2026-05-20";

    public override OpenApiSchema Schema() => new() { Type = JsonSchemaType.String, Format = "date" };

    public override object? Read(JsonElement json, string pointer, Violations violations) =>
        json.ValueKind == JsonValueKind.String && JsonText.TryRead(json, out var text) && ReadText(text) is { } day ? day : Refuse(pointer, violations);

    public override object? ReadText(string text) => DateOnly.TryParseExact(text, Form, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && PossibleDays.Hold(day) ? day : null;

    public override string WriteText(object value) =>
        (value is DateTime time ? DateOnly.FromDateTime(time) : (DateOnly)value).ToString(Form, CultureInfo.InvariantCulture);

    public override void Write(Utf8JsonWriter json, NpgsqlDataReader row, int column) => json.WriteStringValue(WriteText(row.GetFieldValue<DateOnly>(column)));

    public override JsonNode Sample() => "2026-05-20";
}
