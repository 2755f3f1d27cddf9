using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace AgentPlatform.Api.Shapes;

/// <summary>The members of a body that were given, checked.</summary>
public sealed class ShapeValues
{
    private readonly Dictionary<string, (Field Field, object? Value)> _values = new(StringComparer.Ordinal);

    public ShapeValues()
    {
    }

    /// <summary>A copy, for rules that change what was given.</summary>
    public ShapeValues(ShapeValues other) => _values = new(other._values, StringComparer.Ordinal);

    public int Count => _values.Count;

    public IEnumerable<(Field Field, object? Value)> All => _values.Values;

    public bool Has(Field field) => _values.ContainsKey(field.Name);

    public bool Has(string name) => _values.ContainsKey(name);

    public void Set(Field field, object? value) => _values[field.Name] = (field, value);

    public void Remove(string name) => _values.Remove(name);

    /// <summary>The value, or the default of its type where it wasn't given or is null.</summary>
    public T? Get<T>(string name) => _values.TryGetValue(name, out var entry) && entry.Value is T value ? value : default;

    public string? Text(string name) => Get<string>(name);

    public Guid? Id(string name) => _values.TryGetValue(name, out var entry) ? (Guid?)entry.Value : null;

    public ShapeValues? Object(string name) => Get<ShapeValues>(name);

    /// <summary>Every value that has no members of its own, however deep, and where it stands.</summary>
    public IEnumerable<(Field Field, object Value, string Pointer)> Leaves() => _values.Values.SelectMany(entry => Leaves(entry.Field, entry.Value, $"/{entry.Field.Name}"));

    /// <summary>As JSON, for a <c>jsonb</c> column.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject();
        foreach (var (name, (field, value)) in _values)
        {
            json[name] = value is null ? null : field.Type.ToNode(value);
        }
        return json;
    }

    private static IEnumerable<(Field Field, object Value, string Pointer)> Leaves(Field field, object? value, string pointer) => value switch
    {
        null => [],
        ShapeValues members => members._values.Values.SelectMany(entry => Leaves(entry.Field, entry.Value, $"{pointer}/{entry.Field.Name}")),
        ImmutableArray<object> items => items.SelectMany((item, index) => Leaves(field, item, $"{pointer}/{index}")),
        _ => [(field, value, pointer)],
    };
}
