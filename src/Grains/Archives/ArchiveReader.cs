using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Json;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Grains.Archives;

/// <summary>
/// An archive while it is read: its manifest, its rows, its files. Whoever made it may mean harm: nothing is believed of how large anything is, and nothing is held in memory
/// but one row, one piece of a file, and lists whose length is bounded.
/// </summary>
internal sealed class ArchiveReader : IAsyncDisposable
{
    private const string Damaged = "The file is no archive of an organization, or is damaged.";
    private static readonly JsonSerializerOptions ManifestOptions = new(JsonSerializerDefaults.Web) { RespectNullableAnnotations = true, MaxDepth = 8 };

    private readonly StoredFileStream _content;
    private readonly ZipArchive _zip;
    private readonly ArchiveLimits _limits;
    private long _unfolded;
    private long _rows;

    private ArchiveReader(StoredFileStream content, ZipArchive zip, Manifest manifest, ArchiveLimits limits)
    {
        _content = content;
        _zip = zip;
        _limits = limits;
        Manifest = manifest;
    }

    public Manifest Manifest { get; }

    /// <summary>Opens an archive that was uploaded.</summary>
    /// <exception cref="JobFailedException">It is no archive of an organization.</exception>
    public static async Task<ArchiveReader> Open(FileStore files, Tenant tenant, Guid file, ArchiveLimits limits, CancellationToken cancellationToken)
    {
        var size = await files.Find(tenant, file, cancellationToken).ConfigureAwait(false) ?? throw new JobFailedException("The file is gone.");
        var content = new StoredFileStream(files, tenant, file, size) { Allowance = ArchiveLimits.MaxDirectoryBytes };
        try
        {
            var zip = new ZipArchive(content, ZipArchiveMode.Read, leaveOpen: true);
            _ = zip.Entries.Count; // the directory, which is read no later than here
            content.Allowance = long.MaxValue;
            var entry = zip.GetEntry(Manifest.EntryName) ?? throw new JobFailedException("The file is no archive of an organization: it has no manifest.json.");
            return new ArchiveReader(content, zip, await ReadManifest(entry, cancellationToken).ConfigureAwait(false), limits);
        }
        catch (Exception failure) when (failure is InvalidDataException or JsonException or EndOfStreamException)
        {
            throw new JobFailedException(content.Allowance < 0 ? $"The archive's directory has more than {ArchiveLimits.MaxDirectoryBytes} bytes: it holds too many files." : Damaged);
        }
    }

    /// <summary>Whether the archive tells of a table.</summary>
    public bool Has(string table) => _zip.GetEntry(Manifest.TableEntry(table)) is not null;

    /// <summary>Reads from the beginning again: what was counted so far counts no more.</summary>
    public void Rewind() => (_unfolded, _rows) = (0, 0);

    /// <summary>The rows of a table, in order. A row is good until the next one is asked for.</summary>
    /// <exception cref="JobFailedException">The rows aren't those of the manifest, told after the last one; or a row, or all of them, are more than an archive may hold.</exception>
    public async IAsyncEnumerable<ArchiveRow> Rows(string table, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (line, content) in Lines(table, cancellationToken).ConfigureAwait(false))
        {
            using var row = ArchiveRow.Scan(content).IsRow ? Parse(content) : throw NoRow(table, line);
            yield return new ArchiveRow(table, line, row.RootElement);
        }
    }

    /// <summary>The ids of a table's rows, in order, without all else of them; null for a row without one.</summary>
    /// <exception cref="JobFailedException">As for <see cref="Rows"/>.</exception>
    public async IAsyncEnumerable<Guid?> Ids(string table, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (line, content) in Lines(table, cancellationToken).ConfigureAwait(false))
        {
            var (isRow, id) = ArchiveRow.Scan(content);
            yield return isRow ? id : throw NoRow(table, line);
        }
    }

    /// <summary>The content of a file, piece by piece.</summary>
    /// <param name="file">Its id in the archive.</param>
    /// <param name="take">Takes a piece, which is good until it returns; may refuse it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task Content(Guid file, Func<ReadOnlyMemory<byte>, Task> take, CancellationToken cancellationToken)
    {
        var entry = _zip.GetEntry(Manifest.FileEntry(file.ToString())) ?? throw new JobFailedException($"The archive lacks {Manifest.FileEntry(file.ToString())}.");
        await using var content = new HashedStream(await entry.OpenAsync(cancellationToken).ConfigureAwait(false), static _ => { });
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
        await _content.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task<Manifest> ReadManifest(ZipArchiveEntry entry, CancellationToken cancellationToken)
    {
        await using var content = await entry.OpenAsync(cancellationToken).ConfigureAwait(false);
        var json = new byte[ArchiveLimits.MaxManifestBytes + 1];
        var length = await content.ReadAtLeastAsync(json, json.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return length == json.Length ? throw new JobFailedException($"{Manifest.EntryName} has more than {ArchiveLimits.MaxManifestBytes} bytes.")
            : JsonSerializer.Deserialize<Manifest>(json.AsSpan(0, length), ManifestOptions) is { Format: ArchiveRules.Format } manifest ? manifest
            : throw new JobFailedException($"The archive's form is not {ArchiveRules.Format}, the one that this version reads.");
    }

    /// <summary>The lines of a table, counted, checked against the manifest at the end. A line is good until the next one is asked for.</summary>
    private async IAsyncEnumerable<(long Line, ReadOnlySequence<byte> Content)> Lines(string table, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_zip.GetEntry(Manifest.TableEntry(table)) is not { } entry)
        {
            yield break;
        }
        await using var content = new HashedStream(await entry.OpenAsync(cancellationToken).ConfigureAwait(false), Unfold);
        var pipe = PipeReader.Create(content, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        long count = 0;
        while (true)
        {
            var read = await pipe.ReadAsync(cancellationToken).ConfigureAwait(false);
            var rest = read.Buffer;
            while (TakeLine(ref rest, read.IsCompleted, out var line))
            {
                if (++_rows > _limits.MaxRows)
                {
                    throw new JobFailedException($"The archive has more than {_limits.MaxRows} rows (ARCHIVE_MAX_ROWS).");
                }
                yield return (++count, line.Length <= ArchiveLimits.MaxRowBytes ? line : throw TooLong(table, count));
            }
            if (read.IsCompleted)
            {
                break;
            }
            if (rest.Length > ArchiveLimits.MaxRowBytes)
            {
                throw TooLong(table, count + 1);
            }
            pipe.AdvanceTo(rest.Start, rest.End);
        }
        await pipe.CompleteAsync().ConfigureAwait(false);
        Check(entry.FullName, Manifest.Tables.GetValueOrDefault(table), count, content.Checksum);
    }

    /// <summary>Takes a line from the beginning of what was read; the last one may lack its end.</summary>
    private static bool TakeLine(ref ReadOnlySequence<byte> rest, bool isLast, out ReadOnlySequence<byte> line)
    {
        var end = rest.PositionOf((byte)'\n');
        line = end is { } at ? rest.Slice(0, at) : rest;
        if (end is null && (!isLast || rest.IsEmpty))
        {
            return false;
        }
        rest = rest.Slice(end is { } stop ? rest.GetPosition(1, stop) : rest.End);
        return true;
    }

    private static JsonDocument Parse(ReadOnlySequence<byte> content) => JsonText.Parse(content.IsSingleSegment ? content.FirstSpan : content.ToArray());

    private void Unfold(int read)
    {
        _unfolded += read;
        var allowed = _limits.Unfolded(_content.Length);
        if (_unfolded > allowed)
        {
            throw new JobFailedException(
                $"The archive's rows unfold to more than {allowed} bytes, which is what one of its size may: {ArchiveLimits.MaxUnfolding} times as many, at least {ArchiveLimits.FreeBytes}, and at most ARCHIVE_MAX_BYTES.");
        }
    }

    private static JobFailedException NoRow(string table, long line) =>
        new($"{Manifest.TableEntry(table)}, line {line}: this is no row, or one of more than {ArchiveLimits.MaxRowValues} values or {JsonText.MaxDepth} levels.");

    private static JobFailedException TooLong(string table, long line) => new($"{Manifest.TableEntry(table)}, line {line}: a row has at most {ArchiveLimits.MaxRowBytes} bytes.");

    private static void Check(string entry, ManifestEntry? expected, long count, string checksum)
    {
        if (expected is null || expected.Count != count || expected.Sha256 != checksum)
        {
            throw new JobFailedException($"{entry} is not what the manifest says: the archive is damaged or was changed.");
        }
    }
}
