using System.Buffers.Text;
using System.Text.Json;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Api.Webhooks.WhatsApp;

/// <summary>Steps of a reader through a body of which nothing is certain but that it may be JSON.</summary>
internal static class WhatsAppJson
{
    /// <summary>The text of the value behind the name that the reader stands on; null when it is no text.</summary>
    public static string? Scalar(ref Utf8JsonReader reader)
    {
        reader.Read();
        var text = JsonText.Read(ref reader);
        reader.Skip();
        return text;
    }

    /// <summary>The moment behind the name that the reader stands on, in seconds since 1970; null when it is none.</summary>
    public static DateTimeOffset? Time(ref Utf8JsonReader reader)
    {
        reader.Read();
        DateTimeOffset? at = reader.TokenType is JsonTokenType.String or JsonTokenType.Number
            && Utf8Parser.TryParse(reader.ValueSpan, out long seconds, out var used) && used == reader.ValueSpan.Length
            ? JsonText.UnixTime(seconds)
            : null;
        reader.Skip();
        return at;
    }

    /// <summary>One member of an object; <paramref name="isPlain"/> becomes false when the object says more than that (and who is meant, which we know).</summary>
    public static string? Member(ref Utf8JsonReader reader, ReadOnlySpan<byte> name, ref bool isPlain)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            isPlain = false;
            return null;
        }

        string? text = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is(name))
            {
                text = Scalar(ref reader);
            }
            else
            {
                isPlain &= reader.Is("from"u8);
                reader.Skip();
            }
        }

        return text;
    }

    /// <summary>Moves to the next object of the array that the reader stands in; skips what is no object. False at the array's end, or when it is no array.</summary>
    public static bool NextObject(ref Utf8JsonReader reader, WhatsAppEvents? countOthers = null)
    {
        if (reader.TokenType == JsonTokenType.StartArray || reader.TokenType == JsonTokenType.EndObject)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    return true;
                }

                reader.Skip();
                _ = countOthers is null ? 0 : countOthers.Unattributable++;
            }

            return false;
        }

        reader.Skip();
        return false;
    }

    /// <summary>Skips the value behind the name that the reader stands on, and tells where it was.</summary>
    public static Range SkipValue(ref Utf8JsonReader reader)
    {
        reader.Read();
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return start..(int)reader.BytesConsumed;
    }
}
