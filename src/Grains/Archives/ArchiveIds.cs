using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace AgentPlatform.Grains.Archives;

/// <summary>
/// Which ids the rows of an archive get here. Always new ones, made from the old by a rule that nobody outside knows, so that every mention of a row finds it and no archive can
/// name what it doesn't bring: not another organization's row, nor one that is yet to come, nor one that is gone but still linked to. A new id keeps the old one's time, and with it
/// the order. The organization, its members, and what is everybody's are those of this installation.
/// </summary>
internal sealed partial class ArchiveIds(DateTimeOffset now)
{
    /// <summary>A row can't be of a later day than the next: clocks differ by less.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromDays(1);

    private const int TimeBytes = 6;
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);
    private readonly Dictionary<Guid, Guid> _known = [];

    /// <summary>Rows of the archive by half of their new ids, in order once one is looked for: eight bytes for each of millions.</summary>
    private readonly List<ulong> _rows = [];

    private bool _isSorted = true;

    /// <summary>The latest moment at which something can have been made.</summary>
    public DateTimeOffset Latest => now + ClockSkew;

    /// <summary>An id of the archive that is another one here: the organization's, a member's.</summary>
    public void Know(Guid old, Guid here) => _known[old] = here;

    /// <summary>An id of a row of the archive, which may stand in texts; false for one that is known to be something else.</summary>
    public bool TryAdd(Guid row)
    {
        _rows.Add(Half(Of(row)));
        _isSorted = false;
        return !_known.ContainsKey(row);
    }

    /// <summary>The id here.</summary>
    public Guid Of(Guid id)
    {
        if (_known.TryGetValue(id, out var here))
        {
            return here;
        }
        Span<byte> bytes = stackalloc byte[16];
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        HMACSHA256.HashData(_secret, bytes, hash);
        var latest = now.ToUnixTimeMilliseconds();
        var time = (BinaryPrimitives.ReadInt64BigEndian(bytes) >> 16) & 0xFFFF_FFFF_FFFF;
        BinaryPrimitives.WriteInt64BigEndian(bytes, (id.Version == 7 && time < latest ? time : latest) << 16);
        hash[..(16 - TimeBytes)].CopyTo(bytes[TimeBytes..]);
        bytes[6] = (byte)(0x70 | (bytes[6] & 0x0F));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3F));
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>A text, with the ids of the archive's rows as they are here; other ids are somebody else's business and stay.</summary>
    public string Text(string text) => text.Length < 36 ? text : Ids().Replace(text, match =>
    {
        var id = Guid.ParseExact(match.ValueSpan, "D");
        var here = Of(id);
        return _known.ContainsKey(id) || IsRow(here) ? here.ToString() : match.Value;
    });

    private bool IsRow(Guid here)
    {
        if (!_isSorted)
        {
            _rows.Sort();
            _isSorted = true;
        }
        return _rows.BinarySearch(Half(here)) >= 0;
    }

    private static ulong Half(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
    }

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", RegexOptions.CultureInvariant)]
    private static partial Regex Ids();
}
