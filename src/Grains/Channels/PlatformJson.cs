using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Grains.Channels;

/// <summary>Reads what a platform answered, which may be anything.</summary>
internal static class PlatformJson
{
    /// <summary>The body as a JSON object; false when it is none.</summary>
    public static bool TryParseObject(ReadOnlySpan<byte> body, [NotNullWhen(true)] out JsonDocument? document)
    {
        document = null;
        if (!Utf8.IsValid(body))
        {
            return false;
        }

        try
        {
            document = JsonText.Parse(body);
        }
        catch (JsonException)
        {
            return false;
        }

        if (document.RootElement.ValueKind == JsonValueKind.Object)
        {
            return true;
        }

        document.Dispose();
        document = null;
        return false;
    }
}
