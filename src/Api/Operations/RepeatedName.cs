using System.Text.Json;

namespace AgentPlatform.Api.Operations;

/// <summary>Finds what a JSON text says twice. Of two values nobody knows which one was meant, and parsers differ in which one they take.</summary>
internal static class RepeatedName
{
    /// <summary>Longest place that is told, in characters; the rest is cut.</summary>
    private const int MostTold = 200;

    /// <summary>The first name that its object has already, as a JSON pointer (RFC 6901); null where there is none before the text ends or stops being JSON.</summary>
    public static string? Find(ReadOnlySpan<byte> json, int maxDepth)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = maxDepth });
        var places = new Stack<Place>();
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject or JsonTokenType.StartArray:
                        Next(places);
                        places.Push(new Place(reader.TokenType == JsonTokenType.StartObject ? new HashSet<string>(StringComparer.Ordinal) : null));
                        break;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        places.Pop();
                        break;
                    case JsonTokenType.PropertyName:
                        var name = reader.GetString()!;
                        var place = places.Peek();
                        place.At = name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
                        if (!place.Names!.Add(name))
                        {
                            return Pointer(places);
                        }
                        break;
                    default:
                        Next(places);
                        break;
                }
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return null; // Not JSON from here on: whoever asked says so.
        }
        return null;
    }

    /// <summary>A value begins: in a list, the next item.</summary>
    private static void Next(Stack<Place> places)
    {
        if (places.TryPeek(out var place) && place.Names is null)
        {
            place.At = (place.Items++).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    private static string Pointer(Stack<Place> places)
    {
        var pointer = string.Concat(places.Reverse().Select(place => "/" + place.At));
        return pointer.Length > MostTold ? pointer[..MostTold] + "…" : pointer;
    }

    /// <summary>An object or a list that the reader is in.</summary>
    /// <param name="names">Names so far; null for a list.</param>
    private sealed class Place(HashSet<string>? names)
    {
        public HashSet<string>? Names { get; } = names;

        public string At { get; set; } = "";

        public int Items { get; set; }
    }
}
