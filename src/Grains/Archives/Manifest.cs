namespace AgentPlatform.Grains.Archives;

/// <summary>What is in an archive, and how to know that it is whole.</summary>
internal sealed record Manifest
{
    public const string EntryName = "manifest.json";

    public required int Format { get; init; }

    public required Guid OrganizationId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Entries under <c>tables/</c>, one JSON object on each line.</summary>
    public required SortedDictionary<string, ManifestEntry> Tables { get; init; }

    /// <summary>Entries under <c>files/</c>.</summary>
    public required SortedDictionary<Guid, ManifestEntry> Files { get; init; }

    /// <summary>Tables and columns (<c>table.column</c>) that are not told.</summary>
    public required IReadOnlyList<string> LeftOut { get; init; }

    /// <summary>Where a table's rows stand.</summary>
    public static string TableEntry(string table) => $"tables/{table}.jsonl";

    /// <summary>Where a file's content stands.</summary>
    public static string FileEntry(string file) => $"files/{file}";
}

/// <param name="Count">Rows of a table, bytes of a file.</param>
/// <param name="Sha256">Of the entry's content, hexadecimal.</param>
internal sealed record ManifestEntry(long Count, string Sha256);
