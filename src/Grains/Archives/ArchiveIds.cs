using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace AgentPlatform.Grains.Archives;

/// <summary>
/// Which ids the rows of an archive get here: their own where all of them are free, else new ones, made from the old by a rule, so that every mention of a row finds it.
/// The organization and its members are those of this installation in either case.
/// </summary>
internal sealed partial class ArchiveIds(Guid seed)
{
    private readonly Dictionary<string, string> _known = new(StringComparer.Ordinal);

    /// <summary>Rows whose ids may stand in texts and JSON.</summary>
    private readonly HashSet<string> _renewed = new(StringComparer.Ordinal);

    /// <summary>Whether rows get new ids.</summary>
    public bool IsRenewing { get; set; }

    /// <summary>An id of the archive that is another one here: the organization's, a member's.</summary>
    public void Know(string old, Guid now) => _known[old] = now.ToString();

    /// <summary>An id of a row, for the case that all get new ones.</summary>
    public void Add(string id) => _renewed.Add(id);

    /// <summary>The id here.</summary>
    public string Of(string id) => _known.TryGetValue(id, out var known) ? known : IsRenewing && _renewed.Contains(id) ? Renewed(id) : id;

    /// <summary>The row with all ids as they are here, wherever they stand.</summary>
    public JsonNode? Translate(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.Select(member => KeyValuePair.Create(Text(member.Key), Translate(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Translate)]),
        JsonValue value when value.TryGetValue<string>(out var text) => JsonValue.Create(Text(text)),
        _ => node?.DeepClone(),
    };

    private string Text(string text) => text.Length < 36 || (!IsRenewing && _known.Count == 0) ? text : Ids().Replace(text, match => Of(match.Value));

    private string Renewed(string id)
    {
        Span<byte> bytes = stackalloc byte[32];
        seed.TryWriteBytes(bytes);
        Guid.Parse(id).TryWriteBytes(bytes[16..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        hash[6] = (byte)(0x80 | (hash[6] & 0x0F)); // version 8: made by a rule of our own
        hash[8] = (byte)(0x80 | (hash[8] & 0x3F));
        return new Guid(hash[..16], bigEndian: true).ToString();
    }

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", RegexOptions.CultureInvariant)]
    private static partial Regex Ids();
}
