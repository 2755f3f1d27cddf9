using System.Text.Json;
using System.Text.Json.Nodes;

namespace AgentPlatform.Api.Shapes;

/// <summary>When a caller may give a field.</summary>
public enum FieldAccess
{
    /// <summary>Given at creation and in changes, read back.</summary>
    Free,

    /// <summary>Given at creation only.</summary>
    Fixed,

    /// <summary>Never given: the product sets it.</summary>
    ReadOnly,

    /// <summary>Given, never read back; masked in the audit log.</summary>
    Secret,
}

/// <summary>One member of a JSON object, and where there is a table, its column. See <see cref="Fields"/> for how to declare one.</summary>
public sealed record Field(string Name, FieldType Type)
{
    /// <summary>The column; the name in snake_case unless said otherwise.</summary>
    public string Column { get; init; } = JsonNamingPolicy.SnakeCaseLower.ConvertName(Name);

    /// <summary>SQL expression to read it by, where that isn't the column itself.</summary>
    public string? Expression { get; init; }

    public FieldAccess Access { get; init; }

    /// <summary>Must be given at creation.</summary>
    public bool IsRequired { get; init; }

    /// <summary>May be null.</summary>
    public bool IsNullable { get; init; }

    /// <summary>The value when it isn't given: the database's default, repeated for the documentation.</summary>
    public JsonNode? Default { get; init; }

    /// <summary>Can be filtered by its exact value (<c>?name=</c>, several joined by commas).</summary>
    public bool IsFilter { get; init; }

    /// <summary>Can be filtered by a range (<c>?nameFrom=</c> inclusive, <c>?nameTo=</c> exclusive).</summary>
    public bool IsRange { get; init; }

    /// <summary>Lists can be sorted by it.</summary>
    public bool IsSort { get; init; }

    /// <summary>Looked at by <c>?q=</c>.</summary>
    public bool IsSearched { get; init; }

    /// <summary>Too large for lists: only in the answer for one.</summary>
    public bool IsDetail { get; init; }

    /// <summary>The table that it refers to; the row must be visible to the organization.</summary>
    public string? References { get; init; }

    /// <summary>An address that this server is going to call: it must be one that it may.</summary>
    public bool IsCalled { get; init; }

    /// <summary>SQL condition by which a given value, <c>{0}</c>, is recognised, where its type alone does not say.</summary>
    public string? Recognition { get; init; }

    public string? Description { get; init; }

    /// <summary>How the column's value becomes JSON, where the type doesn't know (something computed, something opened).</summary>
    public Action<Utf8JsonWriter, object, FieldReadContext>? Render { get; init; }

    public string ReadExpression => Expression ?? Column;

    public bool IsReadable => Access != FieldAccess.Secret;

    /// <summary>Whether JSON gives the field no value.</summary>
    public bool IsNone(JsonElement json) => json.ValueKind == JsonValueKind.Null || (json.ValueKind == JsonValueKind.String && JsonText.TryRead(json, out var text) && IsNone(text));

    /// <summary>Whether a text gives the field no value, though its type may take it.</summary>
    public bool IsNone(string text) => IsNullable && Type is TextType { IsNoneWhenEmpty: true } type && (text.Length == 0 || (type.Spelling(text).Length == 0 && !text.Contains('\0', StringComparison.Ordinal)));

    public bool IsGivenAt(ShapeUse use) => use switch
    {
        ShapeUse.Create => Access is not FieldAccess.ReadOnly,
        ShapeUse.Change => Access is FieldAccess.Free or FieldAccess.Secret,
        _ => IsReadable,
    };
}

/// <summary>What a field's own renderer may need.</summary>
public readonly record struct FieldReadContext(IServiceProvider Services, Guid OrganizationId);
