using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Transfer;

/// <summary>The fields that a file may have for a resource: those of its creation, natural keys beside references, and times that are kept.</summary>
internal sealed class ImportShape
{
    private static readonly ConcurrentDictionary<string, ImportShape> Known = new(StringComparer.Ordinal);

    private readonly Resource _resource;
    private readonly Dictionary<Field, NaturalKey> _keys = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, Field?> _byName = new(StringComparer.OrdinalIgnoreCase);

    private ImportShape(Resource resource)
    {
        _resource = resource;
        var given = WithKeys([.. resource.Shape.Fields.Where(IsGiven)], relax: false);
        Fields = [.. given];
        foreach (var field in resource.Shape.Fields.Where(field => !IsGiven(field)))
        {
            _byName[field.Name] = null;
        }
        foreach (var field in Fields)
        {
            _byName[field.Name] = field;
        }
        // An export without ids has natural keys of references that can't be given.
        foreach (var key in resource.Shape.Fields.Where(field => !IsGiven(field)).SelectMany(field => NaturalKey.Of(field)))
        {
            _byName.TryAdd(key.Name, null);
        }
    }

    /// <summary>All that can be given, in the order of the resource, natural keys behind their reference.</summary>
    public ImmutableArray<Field> Fields { get; }

    /// <summary>Rows may refer to other rows of the same file.</summary>
    public bool RefersToItself => _keys.Values.Any(key => key.Target == _resource);

    public static ImportShape Of(Resource resource) => Known.GetOrAdd(resource.Path, static (_, resource) => new ImportShape(resource), resource);

    /// <summary>The field of a name, however it is written; null for one that the product sets by itself, false for none.</summary>
    public bool TryFind(string name, out Field? field)
    {
        // A control character within a name tells that the file is no text.
        field = null;
        return !name.Trim().Any(char.IsControl) && _byName.TryGetValue(ComparableText.Of(name), out field);
    }

    /// <summary>The natural key that a field of this shape is, however deep; null for any other field.</summary>
    public NaturalKey? KeyOf(Field field) => _keys.GetValueOrDefault(field);

    /// <summary>The natural keys of a reference of the row itself.</summary>
    public IEnumerable<Field> KeysOf(Field reference) => Fields.Where(field => KeyOf(field)?.Reference.Name == reference.Name);

    /// <summary>Whether the values say what a field needs: itself, or for a reference one of its natural keys.</summary>
    public bool Says(ShapeValues values, Field field) =>
        values.Has(field) || field.References is not null && values.All.Any(entry => entry.Value is not null && KeyOf(entry.Field)?.Reference.Name == field.Name);

    /// <summary>The time is kept for new rows and passed over for those that exist.</summary>
    public bool IsKept(Field field) => _resource.Import!.Kept.Contains(field.Name);

    private bool IsGiven(Field field) => field.IsGivenAt(ShapeUse.Create) || IsKept(field);

    /// <param name="relax">Members of objects are checked as they are read, before natural keys are looked up: a reference with keys must not be missed there.</param>
    private IEnumerable<Field> WithKeys(IEnumerable<Field> fields, bool relax)
    {
        foreach (var field in fields)
        {
            var keys = NaturalKey.Of(field);
            yield return field with { Type = WithKeys(field.Type), IsRequired = field.IsRequired && !(relax && keys.Length > 0) };
            foreach (var key in keys)
            {
                var column = new Field(key.Name, key.Type) { IsNullable = true };
                _keys[column] = key;
                yield return column;
            }
        }
    }

    private FieldType WithKeys(FieldType type) => type switch
    {
        ObjectType members => members with { Shape = new Shape(WithKeys(members.Shape.Fields, relax: true).ToArray()) },
        ListType list => list with { Item = WithKeys(list.Item) },
        _ => type,
    };
}
