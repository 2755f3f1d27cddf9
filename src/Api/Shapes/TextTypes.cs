using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AgentPlatform.Data.Texts;
using Microsoft.OpenApi;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Shapes;

/// <summary>Text of a length, perhaps of a form.</summary>
/// <param name="MaxLength">In UTF-16 units.</param>
/// <param name="Format">OpenAPI format such as <c>email</c> or <c>uri</c>; documentation only.</param>
/// <param name="Pattern">Regular expression that all of the text must match.</param>
/// <param name="Form">What the pattern means, to complete "must be …".</param>
/// <param name="Example">A text that fits.</param>
public sealed record TextType(int MaxLength, int MinLength = 0, string? Format = null, string? Pattern = null, string? Form = null, string Example = "text") : FieldType
{
    /// <summary>The SQL function that gives the form in which texts that are the same are equal; null where they are letter by letter.</summary>
    public string? Comparison { get; init; }

    /// <summary>What is kept of a text: composed, unless said otherwise.</summary>
    public Func<string, string> Spelling { get; init; } = TypedText.Of;

    /// <summary>A text in which there is nothing to be seen is none: what another system calls something is either said or not.</summary>
    public bool IsNoneWhenEmpty { get; init; }

    /// <summary>What it must fulfil besides, where no pattern says it; null for nothing. What is only looked for need not (<see cref="Wanted"/>).</summary>
    public Func<string, bool>? Accepts { get; init; }

    /// <summary>How long one match may take; patterns here are linear, so it is never reached.</summary>
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromMilliseconds(200);

    private readonly Regex? _pattern = Pattern is null ? null : new Regex(WholeText(Pattern), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, MatchTimeout);

    public override NpgsqlDbType DbType => NpgsqlDbType.Text;

    public override bool IsFreeText => true;

    public override string Expectation => Form ?? (MinLength > 0 ? $"text of {MinLength} to {MaxLength} characters, not blank" : $"text of at most {MaxLength} characters");

    public override OpenApiSchema Schema() => new()
    {
        Type = JsonSchemaType.String,
        MaxLength = MaxLength,
        MinLength = MinLength > 0 ? MinLength : null,
        Format = Format,
        Pattern = Pattern,
    };

    public override object? Read(JsonElement json, string pointer, Violations violations) =>
        json.ValueKind == JsonValueKind.String && JsonText.TryRead(json, out var text) && ReadText(text) is { } known ? known : Refuse(pointer, violations);

    // U+0000 can't be stored: it is refused, not taken for something invisible.
    public override object? ReadText(string text) => !text.Contains('\0', StringComparison.Ordinal) && Spelling(text) is var kept && Fits(kept) ? kept : null;

    public override FieldType Wanted() => this with { Accepts = null };

    public override string Same(string expression, string value) => Comparison is null ? base.Same(expression, value) : $"{Comparison}({expression}) = {Comparison}({value})";

    public override string WriteText(object value) => (string)value;

    public override void Write(Utf8JsonWriter json, NpgsqlDataReader row, int column) => json.WriteStringValue(row.GetString(column));

    public override JsonNode Sample() => Example;

    /// <summary>The pattern as JSON Schema means it (ECMA-262): there <c>$</c> is the end of the text, here it is also before a line feed at the end.</summary>
    private static string WholeText(string pattern) => pattern.EndsWith('$') && !pattern.EndsWith("\\$", StringComparison.Ordinal) ? $"{pattern[..^1]}\\z" : throw new ArgumentException($"The pattern {pattern} must match all of a text: begin with ^ and end with $.");

    private bool Fits(string text) =>
        text.Length >= MinLength && text.Length <= MaxLength && (MinLength == 0 || !ComparableText.IsBlank(text)) && (_pattern is null || _pattern.IsMatch(text)) && (Accepts is null || Accepts(text));
}

/// <summary>One of a few words.</summary>
public sealed record ChoiceType(params string[] Values) : FieldType
{
    public override NpgsqlDbType DbType => NpgsqlDbType.Text;

    /// <summary>What is expected, in place of all the words.</summary>
    public string? Told { get; init; }

    /// <summary>The word that another spelling means; a word itself without one.</summary>
    public Func<string, string>? Spelling { get; init; }

    /// <summary>A word for the documentation; the first one where none is named.</summary>
    public string? Example { get; init; }

    public override string Expectation => Told ?? $"one of {string.Join(", ", Values)}";

    public override OpenApiSchema Schema() => new() { Type = JsonSchemaType.String, Enum = [.. Values.Select(value => (JsonNode)value)] };

    public override object? Read(JsonElement json, string pointer, Violations violations) =>
        json.ValueKind == JsonValueKind.String && JsonText.TryRead(json, out var text) && ReadText(text) is { } known ? known : Refuse(pointer, violations);

    public override object? ReadText(string text) => (Spelling?.Invoke(text) ?? text) is var word && Values.Contains(word, StringComparer.Ordinal) ? word : null;

    public override string WriteText(object value) => (string)value;

    public override void Write(Utf8JsonWriter json, NpgsqlDataReader row, int column) => json.WriteStringValue(row.GetString(column));

    public override JsonNode Sample() => Example ?? Values[0];
}

/// <summary>A list of texts.</summary>
public sealed record TextListType(int MaxItems, TextType Item) : FieldType
{
    public override NpgsqlDbType DbType => NpgsqlDbType.Array | NpgsqlDbType.Text;

    public override bool IsFreeText => true;

    public override string Expectation => $"a list of at most {MaxItems} texts, each {Item.Expectation}";

    public override OpenApiSchema Schema() => new() { Type = JsonSchemaType.Array, MaxItems = MaxItems, Items = Item.Schema() };

    public override object? Read(JsonElement json, string pointer, Violations violations)
    {
        if (json.ValueKind != JsonValueKind.Array || json.GetArrayLength() > MaxItems)
        {
            return Refuse(pointer, violations);
        }
        var items = new List<string>(json.GetArrayLength());
        foreach (var element in json.EnumerateArray())
        {
            if (Item.Read(element, $"{pointer}/{items.Count}", violations) is not string item)
            {
                return null;
            }
            items.Add(item);
        }
        return items.ToArray();
    }

    public override object? ReadText(string text) => Item.ReadText(text) is string item ? new[] { item } : null;

    /// <summary>Holds where one of the texts is one of the other ones.</summary>
    public override string Same(string expression, string value) => Item.Comparison is { } comparison
        ? $"EXISTS (SELECT FROM unnest({expression}) AS held, unnest({value}) AS wanted WHERE {comparison}(held) = {comparison}(wanted))"
        : $"{expression} && {value}";

    public override string WriteText(object value) => throw new InvalidOperationException("A list can't be a position in a cursor.");

    public override void Write(Utf8JsonWriter json, NpgsqlDataReader row, int column)
    {
        json.WriteStartArray();
        foreach (var item in row.GetFieldValue<string[]>(column))
        {
            json.WriteStringValue(item);
        }
        json.WriteEndArray();
    }

    public override JsonNode Sample() => new JsonArray(Item.Sample());
}

/// <summary>Reads texts that may hold half a surrogate pair, which JSON can spell and nobody can store.</summary>
internal static class JsonText
{
    public static bool TryRead(JsonElement json, out string text)
    {
        try
        {
            text = json.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            text = "";
            return false;
        }
    }

    public static bool TryReadName(JsonProperty property, out string name)
    {
        try
        {
            name = property.Name;
            return true;
        }
        catch (InvalidOperationException)
        {
            name = "";
            return false;
        }
    }
}
