using System.Buffers.Binary;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.Jobs;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Fakes.Postgres;

namespace AgentPlatform.Api.Tests.Survival;

/// <summary>
/// What an archive costs, measured on a silo of its own that has 300 MB for all that it holds: a single object more, and it ends. The largest archive goes in; those that are
/// small and unfold to what would fill any machine are refused before they have, with a limit that they are told.
/// </summary>
public sealed class ArchiveSizeTests
{
    private const int MegaByte = 1024 * 1024;
    private const long Memory = 300L * MegaByte;

    /// <summary>Some machines are slow.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task An_archive_of_256_MB_takes_no_more_than_300_MB_of_memory()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var silo = new SiloProcess(database.Url, new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = $"0x{Memory:X}", ["FILES_PER_ORGANIZATION_BYTES"] = $"{1024L * MegaByte}" });
        await silo.Start();
        using var owner = await SignUp(silo);

        foreach (var (archive, told) in Bombs())
        {
            var job = await owner.Job("/v1/organization/import", new { fileId = await owner.Upload(archive, "organization.zip") }, "failed", Patience);
            Assert.Contains(told, job.Text("error"), StringComparison.Ordinal);
        }
        using var large = Large();
        using var content = new StreamContent(large);
        var file = (await (await owner.PostAsync("/v1/files?name=organization.zip", content)).Json(System.Net.HttpStatusCode.Created)).Id();
        var done = await owner.Job("/v1/organization/import", new { fileId = file }, within: Patience);
        Assert.Equal((1, 40_000L), (done["result"]!["files"]!.GetValue<int>(), done["result"]!["rows"]!.GetValue<long>()));
        Assert.Equal(40_000L, await database.ScalarAsAdminAsync<long>("SELECT count(*) FROM clients"));
        // The process itself, its code and its threads' stacks included.
        Assert.True(silo.PeakMemory < 2 * Memory, $"{silo.PeakMemory / MegaByte} MB");
    }

    /// <summary>Small archives, and the limit that each is told.</summary>
    private static IEnumerable<(byte[] Archive, string Told)> Bombs()
    {
        yield return (Zip(("tables/tags.jsonl", Line(700 * MegaByte))), "a row has at most");
        yield return (Zip(("tables/tags.jsonl", Many("{\"id\":\"0196f1c0-7d00-7c3e-9a55-5f0c1b2a3d4e\",\"a\":[", "1,", 4_000_000, "1]}\n"))), "values");
        yield return (Zip(("tables/clients.jsonl", Many("", "{\"id\":\"0196f1c0-7d00-7c3e-9a55-5f0c1b2a3d4f\",\"x\":\"" + new string('x', 100) + "\"}\n", 600_000, ""))), "unfold to more than");
        yield return (Zip(("manifest.json", Line(700 * MegaByte))), "manifest.json has more than");
        yield return (Zip(("manifest.json", Many("{\"format\":1,\"tables\":{", "\"a\":{\"count\":1,\"sha256\":\"\"},", 30_000_000, ""))), "manifest.json has more than");
        yield return (Directory(65_000), "directory");
    }

    /// <summary>256 MB, little less than an upload may have: a file that can't be packed, and many rows.</summary>
    private static FileStream Large()
    {
        var stream = new FileStream(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, MegaByte, FileOptions.DeleteOnClose);
        var id = Guid.CreateVersion7();
        var (tables, files) = (new JsonObject(), new JsonObject());
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add("clients", 40_000, index => $"{{\"id\":\"{Guid.CreateVersion7()}\",\"first_name\":\"Client {index}\",\"custom_fields\":{{\"a\":\"{new string('x', 400)}\",\"b\":\"{Guid.CreateVersion7()}\"}}}}\n");
            Add("files", 1, _ => $"{{\"id\":\"{id}\",\"purpose\":\"attachment\",\"name\":\"film\",\"content_type\":\"video/mp4\"}}\n");
            var piece = new byte[MegaByte];
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            const int Pieces = 250;
            using (var entry = zip.CreateEntry($"files/{id}", CompressionLevel.NoCompression).Open())
            {
                new Random(1).NextBytes(piece);
                for (var index = 0; index < Pieces; index++)
                {
                    BinaryPrimitives.WriteInt32LittleEndian(piece, index);
                    hash.AppendData(piece);
                    entry.Write(piece);
                }
            }
            files[id.ToString()] = new JsonObject { ["count"] = (long)Pieces * MegaByte, ["sha256"] = Convert.ToHexStringLower(hash.GetHashAndReset()) };
            using var manifest = zip.CreateEntry("manifest.json").Open();
            manifest.Write(Encoding.UTF8.GetBytes(new JsonObject
            {
                ["format"] = 1,
                ["organizationId"] = Guid.NewGuid().ToString(),
                ["createdAt"] = "2030-01-01T00:00:00Z",
                ["tables"] = tables,
                ["files"] = files,
                ["leftOut"] = new JsonArray(),
            }.ToJsonString()));

            void Add(string table, int count, Func<int, string> row)
            {
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                using (var entry = zip.CreateEntry($"tables/{table}.jsonl", CompressionLevel.Fastest).Open())
                {
                    for (var index = 0; index < count; index++)
                    {
                        var line = Encoding.UTF8.GetBytes(row(index));
                        hash.AppendData(line);
                        entry.Write(line);
                    }
                }
                tables[table] = new JsonObject { ["count"] = count, ["sha256"] = Convert.ToHexStringLower(hash.GetHashAndReset()) };
            }
        }
        Assert.InRange(stream.Length, 250 * MegaByte, 256 * MegaByte);
        stream.Position = 0;
        return stream;
    }

    private static Action<Stream> Line(long length) => stream =>
    {
        var piece = new byte[MegaByte];
        piece.AsSpan().Fill((byte)' ');
        for (long written = 0; written < length; written += piece.Length)
        {
            stream.Write(piece);
        }
    };

    private static Action<Stream> Many(string begin, string repeated, int count, string end) => stream =>
    {
        stream.Write(Encoding.UTF8.GetBytes(begin));
        const int AtOnce = 1000;
        var piece = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(repeated, AtOnce)));
        for (var written = 0; written < count; written += AtOnce)
        {
            stream.Write(piece);
        }
        stream.Write(Encoding.UTF8.GetBytes(end));
    };

    private static byte[] Zip(params (string Name, Action<Stream> Write)[] entries)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            if (!entries.Any(entry => entry.Name == "manifest.json") && entries.Length == 1)
            {
                using var manifest = zip.CreateEntry("manifest.json").Open();
                manifest.Write("""{"format": 1, "organizationId": "0196f1c0-7d00-7c3e-9a55-5f0c1b2a3d4e", "createdAt": "2030-01-01T00:00:00Z", "tables": {}, "files": {}, "leftOut": []}"""u8);
            }
            foreach (var (name, write) in entries)
            {
                using var entry = zip.CreateEntry(name, CompressionLevel.Fastest).Open();
                write(entry);
            }
        }
        return stream.ToArray();
    }

    /// <summary>A zip with a directory of so many empty files, which are all the same one, each with a comment.</summary>
    private static byte[] Directory(int count)
    {
        var stream = new MemoryStream();
        Span<byte> local = stackalloc byte[31];
        BinaryPrimitives.WriteUInt32LittleEndian(local, 0x04034b50);
        BinaryPrimitives.WriteUInt16LittleEndian(local[26..], 1);
        local[30] = (byte)'a';
        stream.Write(local);
        Span<byte> header = stackalloc byte[47 + 200];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0x02014b50);
        BinaryPrimitives.WriteUInt16LittleEndian(header[28..], 1);
        BinaryPrimitives.WriteUInt16LittleEndian(header[32..], 200);
        header[46..].Fill((byte)'a');
        for (var index = 0; index < count; index++)
        {
            stream.Write(header);
        }
        Span<byte> end = stackalloc byte[22];
        BinaryPrimitives.WriteUInt32LittleEndian(end, 0x06054b50);
        BinaryPrimitives.WriteUInt16LittleEndian(end[8..], (ushort)count);
        BinaryPrimitives.WriteUInt16LittleEndian(end[10..], (ushort)count);
        BinaryPrimitives.WriteUInt32LittleEndian(end[12..], (uint)(count * header.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(end[16..], 31);
        stream.Write(end);
        return stream.ToArray();
    }

    private static async Task<HttpClient> SignUp(SiloProcess silo)
    {
        var client = new HttpClient { BaseAddress = silo.Address, Timeout = TimeSpan.FromMinutes(5) };
        var tokens = await (await client.PostAsJsonAsync("/v1/auth/sign-up", new { email = "mallory@example.com", password = "seven blue elephants", organizationName = "Mallory" })).Json(System.Net.HttpStatusCode.Created);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Text("accessToken"));
        return client;
    }
}
