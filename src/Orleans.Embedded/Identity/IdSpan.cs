using System.Text;

namespace Orleans.Runtime;

/// <summary>A key or a type name in a grain id. Held as text, so that reading it back costs nothing.</summary>
public readonly struct IdSpan : IEquatable<IdSpan>, IComparable<IdSpan>
{
    private readonly string? _value;

    /// <summary>From its UTF-8 form.</summary>
    public IdSpan(byte[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _value = Encoding.UTF8.GetString(value);
    }

    internal IdSpan(string? value) => _value = value;

    /// <summary>The UTF-8 form.</summary>
    public ReadOnlyMemory<byte> Value => _value is null ? default : Encoding.UTF8.GetBytes(_value);

    /// <summary>Whether it is empty.</summary>
    public bool IsDefault => string.IsNullOrEmpty(_value);

    internal string Text => _value ?? string.Empty;

    /// <summary>Compares by value.</summary>
    public static bool operator ==(IdSpan left, IdSpan right) => left.Equals(right);

    /// <summary>Compares by value.</summary>
    public static bool operator !=(IdSpan left, IdSpan right) => !left.Equals(right);

    /// <summary>From text.</summary>
    public static IdSpan Create(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return new IdSpan(id);
    }

    /// <summary>The UTF-8 form.</summary>
    public ReadOnlySpan<byte> AsSpan() => Value.Span;

    /// <summary>A hash that is the same in every process.</summary>
    public uint GetUniformHashCode() => StableHash.ComputeHash(AsSpan());

    /// <inheritdoc />
    public bool Equals(IdSpan other) => string.Equals(_value, other._value, StringComparison.Ordinal);

    /// <inheritdoc />
    public override bool Equals(object? obj) => obj is IdSpan other && Equals(other);

    /// <inheritdoc />
    public override int GetHashCode() => _value is null ? 0 : string.GetHashCode(_value, StringComparison.Ordinal);

    /// <inheritdoc />
    public int CompareTo(IdSpan other) => string.CompareOrdinal(_value, other._value);

    /// <inheritdoc />
    public override string ToString() => Text;
}
