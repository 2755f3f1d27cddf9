using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentPlatform;

/// <summary>Writes an enum as the database does: lower case, words joined by underscores. Refuses numbers and unknown names.</summary>
public sealed class SnakeCaseEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;

/// <summary>The database's text of an enum value, without allocating.</summary>
public static class EnumText<T> where T : struct, Enum
{
    private static readonly T[] Values = Enum.GetValues<T>();
    private static readonly string[] Texts = [.. Values.Select(value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()))];

    /// <summary>For example <c>MessageStatus.Sent</c> → <c>sent</c>.</summary>
    public static string Of(T value) => Texts[Array.IndexOf(Values, value)];

    /// <summary>Throws <see cref="FormatException"/> on a text that names no value.</summary>
    public static T Parse(string text) =>
        Array.IndexOf(Texts, text) is >= 0 and var index ? Values[index] : throw new FormatException($"'{text}' is not a {typeof(T).Name}: expected one of {string.Join(", ", Texts)}.");
}
