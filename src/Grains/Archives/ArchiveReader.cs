using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Grains.Archives;

/// <summary>An archive on disk while it is read: its manifest, its rows, its files.</summary>
internal sealed class ArchiveReader : IAsyncDisposable
{
    /// <summary>Longest row in characters.</summary>
    public const int MaxRowLength = 64 * 1024 * 1024;

    /// <summary>Most bytes that an archive may unfold to.</summary>
    public const long MaxUnfoldedBytes = 64L * 1024 * 1024 * 1024;

    private readonly DirectoryInfo _folder;
    private readonly FileStream _copy;
    private readonly ZipArchive _zip;
    private long _unfolded;

    private ArchiveReader(DirectoryInfo folder, FileStream copy, ZipArchive zip, Manifest manifest)
    {
        _folder = folder;
        _copy = copy;
        _zip = zip;
        Manifest = manifest;
    }

    public Manifest Manifest { get; }

    /// <summary>Copies the file to disk and opens it.</summary>
    /// <exception cref="JobFailedException">It is no archive of an organization.</exception>
    public static async Task<ArchiveReader> Open(FileStore files, Tenant tenant, Guid file, CancellationToken cancellationToken)
    {
        // A folder of our own: nobody else on this machine reads what is in it.
        var folder = Directory.CreateTempSubdirectory("archive-");
        var copy = new FileStream(Path.Combine(folder.FullName, "organization.zip"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 64 * 1024, FileOptions.Asynchronous);
        try
        {
            var reader = new FileReader(files, tenant, file, 0);
            while (await reader.Next(cancellationToken).ConfigureAwait(false) is { Length: > 0 } piece)
            {
                await copy.WriteAsync(piece, cancellationToken).ConfigureAwait(false);
            }
            copy.Position = 0;
            var zip = new ZipArchive(copy, ZipArchiveMode.Read, leaveOpen: true);
            await using var content = zip.GetEntry(Manifest.EntryName)?.Open() ?? throw new JobFailedException("The file is no archive of an organization: it has no manifest.json.");
            var manifest = await JsonSerializer.DeserializeAsync<Manifest>(content, JsonSerializerOptions.Web, cancellationToken).ConfigureAwait(false);
            return manifest is { Format: ArchiveRules.Format }
                ? new ArchiveReader(folder, copy, zip, manifest)
                : throw new JobFailedException($"The archive's form is not {ArchiveRules.Format}, the one that this version reads.");
        }
        catch (Exception failure) when (failure is InvalidDataException or JsonException)
        {
            await Remove(folder, copy).ConfigureAwait(false);
            throw new JobFailedException("The file is no archive of an organization, or is damaged.");
        }
        catch
        {
            await Remove(folder, copy).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Whether the archive tells of a table.</summary>
    public bool Has(string table) => _zip.GetEntry(Manifest.TableEntry(table)) is not null;

    /// <summary>The rows of a table, in order.</summary>
    /// <exception cref="JobFailedException">The rows aren't those of the manifest; told after the last one.</exception>
    public async IAsyncEnumerable<JsonObject> Rows(string table, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_zip.GetEntry(Manifest.TableEntry(table)) is not { } entry)
        {
            yield break;
        }
        await using var content = Checked(entry);
        using var lines = new StreamReader(content, Encoding.UTF8);
        long count = 0;
        while (await lines.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            count++;
            if (line.Length > MaxRowLength || Parse(line) is not { } row)
            {
                throw new JobFailedException($"{entry.FullName}, line {count}: this is no row.");
            }
            yield return row;
        }
        Check(entry.FullName, Manifest.Tables.GetValueOrDefault(table), count, content.Checksum);
    }

    /// <summary>The content of a file.</summary>
    public async Task Content(string file, Func<ReadOnlyMemory<byte>, Task> take, CancellationToken cancellationToken)
    {
        var entry = _zip.GetEntry(Manifest.FileEntry(file)) ?? throw new JobFailedException($"The archive lacks {Manifest.FileEntry(file)}.");
        await using var content = Checked(entry);
        var piece = new byte[FileStore.ChunkBytes];
        long size = 0;
        int filled;
        do
        {
            filled = await content.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            size += filled;
            await take(piece.AsMemory(0, filled)).ConfigureAwait(false);
        }
        while (filled == piece.Length);
        Check(entry.FullName, Manifest.Files.GetValueOrDefault(file), size, content.Checksum);
    }

    public async ValueTask DisposeAsync()
    {
        _zip.Dispose();
        await Remove(_folder, _copy).ConfigureAwait(false);
    }

    private static async Task Remove(DirectoryInfo folder, FileStream copy)
    {
        await copy.DisposeAsync().ConfigureAwait(false);
        folder.Delete(recursive: true);
    }

    private static JsonObject? Parse(string line)
    {
        try
        {
            return JsonNode.Parse(line) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private HashedStream Checked(ZipArchiveEntry entry)
    {
        _unfolded += entry.Length;
        return _unfolded <= MaxUnfoldedBytes ? new HashedStream(entry.Open()) : throw new JobFailedException($"The archive unfolds to more than {MaxUnfoldedBytes} bytes.");
    }

    private static void Check(string entry, ManifestEntry? expected, long count, string checksum)
    {
        if (expected is null || expected.Count != count || expected.Sha256 != checksum)
        {
            throw new JobFailedException($"{entry} is not what the manifest says: the archive is damaged or was changed.");
        }
    }

    /// <summary>Reckons the checksum of what is read.</summary>
    private sealed class HashedStream(Stream inner) : Stream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public string Checksum => Convert.ToHexStringLower(_hash.GetCurrentHash());

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            _hash.AppendData(buffer.Span[..read]);
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = inner.Read(buffer, offset, count);
            _hash.AppendData(buffer, offset, read);
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
                _hash.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
