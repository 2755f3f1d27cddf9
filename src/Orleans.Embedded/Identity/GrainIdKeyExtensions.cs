using System.Globalization;

namespace Orleans.Runtime;

/// <summary>
/// Keys other than strings are text too: integers in upper-case hexadecimal, guids in 32 lower-case digits, and a key
/// extension after a plus sign. The forms are those of the tables that both runtimes read.
/// </summary>
public static class GrainIdKeyExtensions
{
    private const int GuidLength = 32;

    /// <summary>The key of an integer.</summary>
    public static IdSpan CreateIntegerKey(long key) => new(key.ToString("X", CultureInfo.InvariantCulture));

    /// <summary>The key of an integer and an extension.</summary>
    public static IdSpan CreateIntegerKey(long key, string? keyExtension) =>
        string.IsNullOrWhiteSpace(keyExtension) ? CreateIntegerKey(key) : new($"{key.ToString("X", CultureInfo.InvariantCulture)}+{keyExtension}");

    /// <summary>The key of a guid.</summary>
    public static IdSpan CreateGuidKey(Guid key) => new(key.ToString("N"));

    /// <summary>The key of a guid and an extension.</summary>
    public static IdSpan CreateGuidKey(Guid key, string? keyExtension) =>
        string.IsNullOrWhiteSpace(keyExtension) ? CreateGuidKey(key) : new($"{key:N}+{keyExtension}");

    /// <summary>Reads an integer key.</summary>
    public static bool TryGetIntegerKey(this GrainId grainId, out long key, out string? keyExt)
    {
        var text = grainId.Key.Text;
        var plus = text.IndexOf('+', StringComparison.Ordinal);
        keyExt = plus >= 0 ? text[(plus + 1)..] : null;
        var digits = plus >= 0 ? text.AsSpan(0, plus) : text;
        return long.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out key);
    }

    /// <summary>Reads a guid key.</summary>
    public static bool TryGetGuidKey(this GrainId grainId, out Guid key, out string? keyExt)
    {
        var text = grainId.Key.Text;
        var extended = text.Length > GuidLength && text[GuidLength] == '+';
        keyExt = extended ? text[(GuidLength + 1)..] : null;
        if (!extended && text.Length != GuidLength)
        {
            key = default;
            return false;
        }

        return Guid.TryParseExact(text.AsSpan(0, GuidLength), "N", out key);
    }

    /// <summary>Reads an integer key; throws <see cref="ArgumentException"/> where it is none.</summary>
    public static long GetIntegerKey(this GrainId grainId) => grainId.GetIntegerKey(out _);

    /// <summary>Reads an integer key and its extension; throws <see cref="ArgumentException"/> where it is none.</summary>
    public static long GetIntegerKey(this GrainId grainId, out string? keyExt) =>
        grainId.TryGetIntegerKey(out var key, out keyExt) ? key : throw new ArgumentException($"'{grainId}' has no integer key.", nameof(grainId));

    /// <summary>Reads a guid key; throws <see cref="ArgumentException"/> where it is none.</summary>
    public static Guid GetGuidKey(this GrainId grainId) => grainId.GetGuidKey(out _);

    /// <summary>Reads a guid key and its extension; throws <see cref="ArgumentException"/> where it is none.</summary>
    public static Guid GetGuidKey(this GrainId grainId, out string? keyExt) =>
        grainId.TryGetGuidKey(out var key, out keyExt) ? key : throw new ArgumentException($"'{grainId}' has no guid key.", nameof(grainId));
}
