using System.Text;
using System.Text.Json;

namespace AgentPlatform.Api.Tests.Webhooks;

/// <summary>Damages bodies at random, as bytes and as JSON.</summary>
internal static class Mutation
{
    private static readonly string[] OddValues = ["null", "5", "-1e400", "true", "\"\"", "\"\\u0000\"", "\"\\ud800\"", "[]", "{}", "[{}]", "[null]", "{\"id\":{}}", "\"99999999999999999999\""];

    public static byte[] Of(byte[] body, Random random)
    {
        var text = Encoding.UTF8.GetString(body);
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            text = random.Next(4) == 0 ? Damage(text, random) : ReplaceValue(text, random);
        }

        var bytes = Encoding.UTF8.GetBytes(text);
        if (random.Next(20) == 0 && bytes.Length > 0)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        return bytes;
    }

    /// <summary>Whether Postgres takes it as text, and as jsonb where it is JSON.</summary>
    public static bool IsStorable(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0' || (char.IsLowSurrogate(text[i]) && (i == 0 || !char.IsHighSurrogate(text[i - 1]))) || (char.IsHighSurrogate(text[i]) && (i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1]))))
            {
                return false;
            }
        }

        return !text.StartsWith('{') || !text.Contains("\\u0000", StringComparison.Ordinal);
    }

    private static string Damage(string text, Random random)
    {
        if (text.Length == 0)
        {
            return text;
        }

        var at = random.Next(text.Length);
        return random.Next(3) switch
        {
            0 => text[..at],
            1 => text.Remove(at, Math.Min(random.Next(1, 5), text.Length - at)),
            _ => text.Insert(at, "{}[],:\"\\"[random.Next(8)].ToString()),
        };
    }

    /// <summary>Puts an odd value in the place of one that stands behind a colon.</summary>
    private static string ReplaceValue(string text, Random random)
    {
        var colons = Enumerable.Range(0, text.Length).Where(i => text[i] == ':').ToArray();
        if (colons.Length == 0)
        {
            return text;
        }

        var start = colons[random.Next(colons.Length)] + 1;
        var bytes = Encoding.UTF8.GetBytes(text[start..]);
        try
        {
            var reader = new Utf8JsonReader(bytes, isFinalBlock: false, default);
            if (!reader.Read() || !reader.TrySkip())
            {
                return text;
            }

            return text[..start] + OddValues[random.Next(OddValues.Length)] + Encoding.UTF8.GetString(bytes.AsSpan((int)reader.BytesConsumed));
        }
        catch (JsonException)
        {
            return text;
        }
    }
}
