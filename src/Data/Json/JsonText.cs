using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace AgentPlatform.Data.Json;

/// <summary>
/// Reads JSON that others wrote into texts that Postgres can store: no character U+0000, no half of a surrogate pair, no number beyond bounds.
/// But for <see cref="Parse"/>, nothing here throws on well-formed JSON in valid UTF-8. (The framework's own readers throw where a text or a name holds half of a
/// surrogate pair, also when they only compare it.)
/// </summary>
public static partial class JsonText
{
    /// <summary>Deepest nesting accepted in a webhook's body.</summary>
    public const int MaxDepth = 64;

    /// <summary>Longest text kept of one message, in UTF-16 units; platforms allow far less.</summary>
    public const int MaxTextLength = 65_536;

    /// <summary>Longest name, title or file name kept, in UTF-16 units.</summary>
    public const int MaxNameLength = 512;

    /// <summary>Longest platform id kept, in UTF-16 units; ids stand in indexes, whose entries are bounded.</summary>
    public const int MaxIdLength = 512;

    /// <summary>Messages are not older than this, whatever a platform says.</summary>
    public static readonly DateTimeOffset EarliestTime = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Nor later than this.</summary>
    public static readonly DateTimeOffset LatestTime = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>From here on a number of seconds would be a moment some thousand years ahead: it counts smaller units.</summary>
    private const long LargestSeconds = 100_000_000_000;

    private const int MaxNumberLength = 64;

    /// <summary>For readers of webhook bodies.</summary>
    public static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = MaxDepth };

    /// <summary>Where a body stops being acceptable JSON, fit to be shown; quotes nothing of it.</summary>
    public static string Describe(JsonException malformed) =>
        $"The body is not valid JSON at line {malformed.LineNumber + 1}, byte {malformed.BytePositionInLine + 1}, or is nested deeper than {MaxDepth} levels.";

    /// <summary>The text of a string or number token; null for any other token.</summary>
    public static string? Read(scoped ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.String or JsonTokenType.PropertyName => reader.ValueIsEscaped ? Unescape(reader.ValueSpan) : Encoding.UTF8.GetString(reader.ValueSpan),
        JsonTokenType.Number when reader.ValueSpan.Length <= MaxNumberLength => Encoding.UTF8.GetString(reader.ValueSpan),
        _ => null,
    };

    /// <summary>Whether the name or text that the reader stands on is this one.</summary>
    public static bool Is(ref this Utf8JsonReader reader, ReadOnlySpan<byte> text) =>
        reader.ValueIsEscaped ? Unescape(reader.ValueSpan) == Encoding.UTF8.GetString(text) : reader.ValueSpan.SequenceEqual(text);

    /// <summary>Parses one value, and nothing after it. No text or name in it holds what can't be stored.</summary>
    /// <exception cref="JsonException">It is not JSON, or nested deeper than <see cref="MaxDepth"/>.</exception>
    public static JsonDocument Parse(ReadOnlySpan<byte> json)
    {
        if (json.IndexOf("\\ud"u8) >= 0 || json.IndexOf("\\uD"u8) >= 0 || json.IndexOf("\\u0000"u8) >= 0)
        {
            json = Clean(json);
        }

        var reader = new Utf8JsonReader(json, ReaderOptions);
        var document = JsonDocument.ParseValue(ref reader);
        try
        {
            reader.Read();
            return document;
        }
        catch (JsonException)
        {
            document.Dispose();
            throw;
        }
    }

    /// <summary>The text of a string or number; null for anything else.</summary>
    public static string? Read(JsonElement element)
    {
        if (element.ValueKind is not (JsonValueKind.String or JsonValueKind.Number))
        {
            return null;
        }

        var reader = new Utf8JsonReader(JsonMarshal.GetRawUtf8Value(element));
        reader.Read();
        return Read(ref reader);
    }

    /// <summary>The text of a property, cut to <paramref name="maxLength"/>; null when it is absent, empty or no text.</summary>
    public static string? Text(this JsonElement element, string property, int maxLength = MaxNameLength) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(property, out var value) && Read(value) is { Length: > 0 } text ? Cut(text, maxLength) : null;

    /// <summary>The object behind a property; null when it is absent or no object.</summary>
    public static JsonElement? Object(this JsonElement element, string property) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;

    /// <summary>The items of an array behind a property; none when it is absent or no array.</summary>
    public static JsonElement.ArrayEnumerator Items(this JsonElement element, string property) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : default;

    /// <summary>True when a property is there and true.</summary>
    public static bool IsTrue(this JsonElement element, string property) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.True;

    /// <summary>A whole number behind a property, given as a number or as text; null when it is none.</summary>
    public static long? Whole(this JsonElement element, string property) =>
        element.Text(property) is { } text && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>The first <paramref name="maxLength"/> units of a text, never half of a surrogate pair.</summary>
    public static string Cut(string text, int maxLength) =>
        text.Length <= maxLength ? text : text[..(char.IsHighSurrogate(text[maxLength - 1]) ? maxLength - 1 : maxLength)];

    /// <summary>A moment given in seconds since 1970; null when it is not one.</summary>
    public static DateTimeOffset? UnixTime(string? seconds) =>
        long.TryParse(seconds, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? UnixTime(number) : null;

    /// <summary>
    /// A moment as platforms and what stands between name it: in seconds since 1970, or in milli-, micro- or nanoseconds, which are told by their size. Null for what can't be the moment of
    /// a message (<see cref="EarliestTime"/>, <see cref="LatestTime"/>): no date arithmetic can hold it.
    /// </summary>
    public static DateTimeOffset? UnixTime(long number)
    {
        for (var unit = 0; unit < 3 && number >= LargestSeconds; unit++)
        {
            number /= 1000;
        }

        return number >= EarliestTime.ToUnixTimeSeconds() && number < LatestTime.ToUnixTimeSeconds() ? DateTimeOffset.FromUnixTimeSeconds(number) : null;
    }

    private static ReadOnlySpan<byte> Clean(ReadOnlySpan<byte> json)
    {
        var buffer = new ArrayBufferWriter<byte>(json.Length);
        using var writer = new Utf8JsonWriter(buffer, WriterOptions);
        var reader = new Utf8JsonReader(json, ReaderOptions);
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    writer.WriteStartObject();
                    break;
                case JsonTokenType.EndObject:
                    writer.WriteEndObject();
                    break;
                case JsonTokenType.StartArray:
                    writer.WriteStartArray();
                    break;
                case JsonTokenType.EndArray:
                    writer.WriteEndArray();
                    break;
                case JsonTokenType.PropertyName:
                    writer.WritePropertyName(Read(ref reader)!);
                    break;
                case JsonTokenType.String:
                    writer.WriteStringValue(Read(ref reader));
                    break;
                default:
                    writer.WriteRawValue(reader.ValueSpan, skipInputValidation: true);
                    break;
            }
        }

        writer.Flush();
        return buffer.WrittenSpan;
    }

    /// <summary>Resolves the escapes of a JSON string that was found well-formed.</summary>
    private static string Unescape(ReadOnlySpan<byte> escaped)
    {
        var rented = escaped.Length > 1024 ? ArrayPool<char>.Shared.Rent(escaped.Length) : null;
        Span<char> text = rented ?? stackalloc char[1024];
        var length = 0;
        while (!escaped.IsEmpty)
        {
            var plain = escaped.IndexOf((byte)'\\');
            if (plain < 0)
            {
                plain = escaped.Length;
            }

            Utf8.ToUtf16(escaped[..plain], text[length..], out _, out var written, replaceInvalidSequences: true);
            length += written;
            escaped = escaped[plain..];
            if (escaped.Length >= 2)
            {
                text[length++] = Escape(escaped, out var used);
                escaped = escaped[used..];
            }
        }

        var result = Storable(text[..length]);
        if (rented is not null)
        {
            ArrayPool<char>.Shared.Return(rented);
        }

        return result;
    }

    private static char Escape(ReadOnlySpan<byte> escape, out int used)
    {
        used = 2;
        switch (escape[1])
        {
            case (byte)'b':
                return '\b';
            case (byte)'f':
                return '\f';
            case (byte)'n':
                return '\n';
            case (byte)'r':
                return '\r';
            case (byte)'t':
                return '\t';
            case (byte)'u':
                used = 6;
                return (char)ushort.Parse(escape[2..6], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            default:
                return (char)escape[1];
        }
    }

    /// <summary>A text as Postgres can keep it: without U+0000 and halves of surrogate pairs.</summary>
    public static string Storable(string text) => Storable(text.ToCharArray().AsSpan());

    /// <summary>Drops U+0000 and replaces halves of surrogate pairs, in place.</summary>
    private static string Storable(Span<char> text)
    {
        if (text.IndexOfAnyInRange('\uD800', '\uDFFF') < 0 && text.IndexOf('\0') < 0)
        {
            return new string(text);
        }

        var kept = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                text[kept++] = text[i++];
                text[kept++] = text[i];
            }
            else if (text[i] != '\0')
            {
                text[kept++] = char.IsSurrogate(text[i]) ? '\uFFFD' : text[i];
            }
        }

        return new string(text[..kept]);
    }
}
