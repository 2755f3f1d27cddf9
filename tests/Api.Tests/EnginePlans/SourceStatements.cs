using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;

namespace AgentPlatform.Api.Tests.EnginePlans;

/// <summary>
/// The SQL that an assembly can send: every text that its code loads and that reads like a statement or a part of one. Taken from what was compiled, so that nobody has to
/// keep a list, and a statement that is composed is known by its parts.
/// </summary>
internal static partial class SourceStatements
{
    private const byte LoadText = 0x72;

    /// <summary>Each text once, with the type whose code loads it.</summary>
    public static IReadOnlyDictionary<string, string> Of(params Assembly[] assemblies)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var assembly in assemblies)
        {
            using var file = new PEReader(File.OpenRead(assembly.Location));
            var metadata = file.GetMetadataReader();
            foreach (var method in metadata.MethodDefinitions.Select(metadata.GetMethodDefinition).Where(method => method.RelativeVirtualAddress != 0))
            {
                foreach (var part in Texts(metadata, file.GetMethodBody(method.RelativeVirtualAddress).GetILBytes() ?? []).SelectMany(text => text.Split(';')).Select(Plain))
                {
                    if (Statement().IsMatch(part))
                    {
                        found.TryAdd(part, Owner(metadata, method));
                    }
                }
            }
        }
        return found;
    }

    /// <summary>A text as plans tell it: with single spaces.</summary>
    public static string Plain(string text) => Spaces().Replace(text, " ").Trim();

    /// <summary>What looks like an instruction that loads a text and names one that exists. Bytes that only look so name none, or one that is loaded elsewhere.</summary>
    private static IEnumerable<string> Texts(MetadataReader metadata, byte[] code)
    {
        for (var at = 0; at + 4 < code.Length; at++)
        {
            var token = code[at] == LoadText ? BitConverter.ToInt32(code, at + 1) : 0;
            if (token >>> 24 == 0x70 && (token & 0xFFFFFF) < metadata.GetHeapSize(HeapIndex.UserString))
            {
                yield return metadata.GetUserString(MetadataTokens.UserStringHandle(token & 0xFFFFFF));
            }
        }
    }

    /// <summary>The outermost type: what the compiler makes of an asynchronous method stands within.</summary>
    private static string Owner(MetadataReader metadata, MethodDefinition method)
    {
        var type = metadata.GetTypeDefinition(method.GetDeclaringType());
        while (!type.GetDeclaringType().IsNil)
        {
            type = metadata.GetTypeDefinition(type.GetDeclaringType());
        }
        return metadata.GetString(type.Name);
    }

    [GeneratedRegex(@"\b(SELECT|INSERT INTO|UPDATE [a-z_]+|DELETE FROM|MERGE INTO|FROM [a-z_]+|WHERE [a-z_.]+)\b", RegexOptions.CultureInvariant)]
    private static partial Regex Statement();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Spaces();
}
