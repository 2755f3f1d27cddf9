using System.Diagnostics.CodeAnalysis;

namespace Orleans.Runtime;

/// <summary>A grain's identity: its type and its key, as text <c>type/key</c>.</summary>
public readonly struct GrainId(GrainType type, IdSpan key) : IEquatable<GrainId>, IComparable<GrainId>, IParsable<GrainId>
{
    /// <summary>The type.</summary>
    public GrainType Type { get; } = type;

    /// <summary>The key.</summary>
    public IdSpan Key { get; } = key;

    /// <summary>Whether it is empty.</summary>
    public bool IsDefault => Type.IsDefault && Key.IsDefault;

    /// <summary>Compares by value.</summary>
    public static bool operator ==(GrainId left, GrainId right) => left.Equals(right);

    /// <summary>Compares by value.</summary>
    public static bool operator !=(GrainId left, GrainId right) => !left.Equals(right);

    /// <summary>From its parts.</summary>
    public static GrainId Create(string type, string key) => Create(GrainType.Create(type), key);

    /// <summary>From its parts.</summary>
    public static GrainId Create(GrainType type, string key)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(key);
        return new GrainId(type, IdSpan.Create(key));
    }

    /// <summary>From its parts.</summary>
    public static GrainId Create(GrainType type, IdSpan key) => new(type, key);

    /// <summary>From <c>type/key</c>; throws <see cref="ArgumentException"/> for other text.</summary>
    public static GrainId Parse(string value) => Parse(value, null);

    /// <inheritdoc />
    public static GrainId Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var result) ? result : throw new ArgumentException($"'{s}' is not a grain id (type/key).", nameof(s));

    /// <summary>From <c>type/key</c>.</summary>
    public static bool TryParse(string? value, out GrainId result) => TryParse(value, null, out result);

    /// <inheritdoc />
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out GrainId result)
    {
        var slash = s?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (s is null || slash < 0)
        {
            result = default;
            return false;
        }

        result = new GrainId(new GrainType(new IdSpan(s[..slash])), new IdSpan(s[(slash + 1)..]));
        return true;
    }

    /// <summary>A hash that is the same in every process; the reminder tables hold it.</summary>
    public uint GetUniformHashCode() => unchecked((Type.GetUniformHashCode() * 31) + Key.GetUniformHashCode());

    /// <inheritdoc />
    public bool Equals(GrainId other) => Key.Equals(other.Key) && Type.Equals(other.Type);

    /// <inheritdoc />
    public override bool Equals(object? obj) => obj is GrainId other && Equals(other);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Type, Key);

    /// <inheritdoc />
    public int CompareTo(GrainId other)
    {
        var byType = Type.CompareTo(other.Type);
        return byType != 0 ? byType : Key.CompareTo(other.Key);
    }

    /// <inheritdoc />
    public override string ToString() => $"{Type}/{Key}";
}
