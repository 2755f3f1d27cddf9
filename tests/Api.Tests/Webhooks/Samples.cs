using System.Text;
using AgentPlatform.Fakes;

namespace AgentPlatform.Api.Tests.Webhooks;

/// <summary>Bodies from the platforms' documentation.</summary>
internal static class Samples
{
    private static readonly string Folder = Path.Combine(RepositoryRoot.Path, "tests", "Api.Tests", "Webhooks", "samples");

    public static byte[] WhatsApp(string name) => File.ReadAllBytes(Path.Combine(Folder, "whatsapp", name + ".json"));

    public static string Telegram(string name) => File.ReadAllText(Path.Combine(Folder, "telegram", name + ".json"), Encoding.UTF8);

    public static IEnumerable<string> Names(string platform) =>
        Directory.EnumerateFiles(Path.Combine(Folder, platform), "*.json").Select(Path.GetFileNameWithoutExtension).OfType<string>().Order(StringComparer.Ordinal);
}
