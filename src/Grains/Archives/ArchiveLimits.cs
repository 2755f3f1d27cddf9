using AgentPlatform.Data;
using AgentPlatform.Data.Tenancy;
using Microsoft.Extensions.Configuration;

namespace AgentPlatform.Grains.Archives;

/// <summary>How much an archive may be. Those with a setting name it; all are counted while it is read, whatever it says of itself.</summary>
internal sealed record ArchiveLimits
{
    /// <summary>Most bytes of the zip's directory: some eighty thousand files.</summary>
    public const int MaxDirectoryBytes = 8 * 1024 * 1024;

    /// <summary>Most bytes of <c>manifest.json</c>: some sixty thousand files.</summary>
    public const int MaxManifestBytes = 8 * 1024 * 1024;

    /// <summary>Most bytes of a row, which is a line.</summary>
    public const int MaxRowBytes = 16 * 1024 * 1024;

    /// <summary>Most values in a row, those within JSON included: each costs more than its bytes.</summary>
    public const int MaxRowValues = 250_000;

    /// <summary>Most rows of one statement.</summary>
    public const int BatchRows = 500;

    /// <summary>A statement ends earlier when its rows have so many bytes.</summary>
    public const int BatchBytes = 4 * 1024 * 1024;

    /// <summary>How many times its own size an archive's rows may unfold to, where that is more than <see cref="FreeBytes"/>.</summary>
    public const int MaxUnfolding = 50;

    /// <summary>Bytes that the rows of any archive may unfold to.</summary>
    public const int FreeBytes = 64 * 1024 * 1024;

    /// <summary>Largest JSON in a column that only the product writes; a larger one is left out where the row can do without. Lists show many at once.</summary>
    public const int MaxJsonBytes = 256 * 1024;

    /// <summary>Most rows, and bytes as text, that an organization may have after an import in a table that processes hold in memory.</summary>
    public const int MaxConfigurationRows = 10_000;

    /// <inheritdoc cref="MaxConfigurationRows"/>
    public const int MaxConfigurationBytes = 64 * 1024 * 1024;

    /// <summary>Most names that a contact has, and most that it gave up: its conversation holds them in memory.</summary>
    public const int MaxNames = 100;

    /// <summary>Most people whom an archive tells of.</summary>
    public const int MaxPeople = 10_000;

    /// <summary>Largest whole number in a column that only the product writes, by the column's width in bytes: whatever counts on from there has room.</summary>
    public static long MaxCount(int width) => width switch { 2 => 1 << 14, 4 => 1 << 30, _ => 1L << 53 };

    /// <summary>Most bytes that an archive's rows unfold to (setting <c>ARCHIVE_MAX_BYTES</c>, default 4 GiB).</summary>
    public long MaxBytes { get; init; } = 4L * 1024 * 1024 * 1024;

    /// <summary>Most rows of an archive (setting <c>ARCHIVE_MAX_ROWS</c>, default 5 million).</summary>
    public int MaxRows { get; init; } = 5_000_000;

    /// <summary>How long an invitation can be accepted (setting <c>INVITATION_DAYS</c>, default 7).</summary>
    public TimeSpan InvitationLife { get; init; } = TimeSpan.FromDays(InvitationLimits.Days);

    /// <summary>Most bytes that the rows of an archive of a size may unfold to.</summary>
    public long Unfolded(long size) => Math.Min(MaxBytes, Math.Max(FreeBytes, size * MaxUnfolding));

    /// <summary>Reads the settings.</summary>
    public static ArchiveLimits From(IConfiguration configuration)
    {
        var defaults = new ArchiveLimits();
        return new()
        {
            MaxBytes = configuration.Setting("ARCHIVE_MAX_BYTES", defaults.MaxBytes),
            MaxRows = configuration.Setting("ARCHIVE_MAX_ROWS", defaults.MaxRows),
            InvitationLife = TimeSpan.FromDays(configuration.Setting("INVITATION_DAYS", defaults.InvitationLife.TotalDays)),
        };
    }
}
