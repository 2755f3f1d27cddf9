namespace Orleans;

/// <summary>Marks a type as part of a grain contract. The embedded runtime passes objects by reference and ignores it.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Enum)]
public sealed class GenerateSerializerAttribute : Attribute
{
    /// <summary>Which members get an id without an <see cref="IdAttribute"/>.</summary>
    public GenerateFieldIds GenerateFieldIds { get; init; }

    /// <summary>Whether the parameters of a primary constructor are serialized.</summary>
    public bool IncludePrimaryConstructorParameters { get; init; }
}

/// <summary>Which members of a type get an id of their own accord.</summary>
public enum GenerateFieldIds
{
    /// <summary>Only members with an <see cref="IdAttribute"/>.</summary>
    None,

    /// <summary>Public properties in the order of their names.</summary>
    PublicProperties,
}

/// <summary>The stable number of a member on the wire.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Enum | AttributeTargets.Method | AttributeTargets.Property | AttributeTargets.Field | AttributeTargets.Parameter)]
public sealed class IdAttribute(uint id) : Attribute
{
    /// <summary>The number.</summary>
    public uint Id { get; } = id;
}

/// <summary>The stable name of a type or method on the wire.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Enum | AttributeTargets.Method | AttributeTargets.Interface, AllowMultiple = true)]
public sealed class AliasAttribute(string alias) : Attribute
{
    /// <summary>The name.</summary>
    public string Alias { get; } = alias;
}

/// <summary>Says that a value is never changed after it was passed to a grain, so that no copy is needed.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Property | AttributeTargets.Field | AttributeTargets.Parameter | AttributeTargets.ReturnValue, Inherited = false)]
public sealed class ImmutableAttribute : Attribute;
