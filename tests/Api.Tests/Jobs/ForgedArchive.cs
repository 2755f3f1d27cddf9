using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>An archive in the hands of somebody who knows how they are made: rows as he likes, and a manifest that fits them.</summary>
internal sealed class ForgedArchive
{
    private readonly Dictionary<string, List<JsonObject>> _tables = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> _raw = new(StringComparer.Ordinal);

    /// <summary>An archive of nothing.</summary>
    public ForgedArchive()
    {
        foreach (var table in new[] { "organizations", "users", "organization_members", "files" })
        {
            _tables[table] = [];
        }
    }

    public Guid OrganizationId { get; init; } = Guid.CreateVersion7();

    public IEnumerable<string> Tables => _tables.Keys;

    /// <summary>What an organization exported.</summary>
    public static ForgedArchive Of(byte[] archive)
    {
        using var zip = new ZipArchive(new MemoryStream(archive));
        var forged = new ForgedArchive { OrganizationId = JsonNode.Parse(Read(zip.GetEntry("manifest.json")!))!["organizationId"]!.GetValue<Guid>() };
        foreach (var entry in zip.Entries)
        {
            if (entry.FullName.StartsWith("tables/", StringComparison.Ordinal))
            {
                forged._tables[Path.GetFileNameWithoutExtension(entry.Name)] =
                    [.. Encoding.UTF8.GetString(Read(entry)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject())];
            }
            else if (entry.FullName.StartsWith("files/", StringComparison.Ordinal))
            {
                forged._files[entry.Name] = Read(entry);
            }
        }
        return forged;
    }

    public List<JsonObject> Rows(string table) => _tables.TryGetValue(table, out var rows) ? rows : _tables[table] = [];

    public ForgedArchive Change(string table, Action<JsonObject> change)
    {
        Assert.NotEmpty(Rows(table));
        Rows(table).ForEach(change);
        return this;
    }

    public ForgedArchive Add(string table, JsonObject row)
    {
        Rows(table).Add(row);
        return this;
    }

    public ForgedArchive AddFile(JsonObject row, byte[] content)
    {
        Rows("files").Add(row);
        _files[row["id"]!.GetValue<string>()] = content;
        return this;
    }

    /// <summary>A table's lines as they are, well-formed or not.</summary>
    public ForgedArchive Raw(string table, byte[] content)
    {
        _raw[table] = content;
        return this;
    }

    /// <summary>The zip.</summary>
    /// <param name="level">How much it is packed.</param>
    /// <param name="manifest">The manifest, where it isn't the one that fits.</param>
    public byte[] ToBytes(CompressionLevel level = CompressionLevel.Fastest, Action<JsonObject>? manifest = null)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            var (tables, files) = (new JsonObject(), new JsonObject());
            foreach (var (table, rows) in _tables.Where(table => !_raw.ContainsKey(table.Key)))
            {
                Write(table, Encoding.UTF8.GetBytes(string.Concat(rows.Select(row => row.ToJsonString() + "\n"))), rows.Count);
            }
            foreach (var (table, content) in _raw)
            {
                Write(table, content, content.LongCount(value => value == '\n'));
            }
            foreach (var (file, content) in _files)
            {
                Entry(zip, $"files/{file}", content, level);
                files[file] = Told(content, content.Length);
            }
            var told = new JsonObject
            {
                ["format"] = 1,
                ["organizationId"] = OrganizationId.ToString(),
                ["createdAt"] = "2030-01-01T00:00:00Z",
                ["tables"] = tables,
                ["files"] = files,
                ["leftOut"] = new JsonArray(),
            };
            manifest?.Invoke(told);
            Entry(zip, "manifest.json", Encoding.UTF8.GetBytes(told.ToJsonString()), level);

            void Write(string table, byte[] content, long count)
            {
                Entry(zip, $"tables/{table}.jsonl", content, level);
                tables[table] = Told(content, count);
            }
        }
        return stream.ToArray();
    }

    private static JsonObject Told(byte[] content, long count) => new() { ["count"] = count, ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(content)) };

    private static void Entry(ZipArchive zip, string name, byte[] content, CompressionLevel level)
    {
        using var entry = zip.CreateEntry(name, level).Open();
        entry.Write(content);
    }

    private static byte[] Read(ZipArchiveEntry entry)
    {
        using var content = new MemoryStream();
        using var stream = entry.Open();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
