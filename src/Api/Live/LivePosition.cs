using System.Globalization;

namespace AgentPlatform.Api.Live;

/// <summary>What a row of the live feed is.</summary>
internal enum LiveKind
{
    /// <summary>Before everything of its transaction.</summary>
    None = -1,
    Message = 0,
    Conversation = 1,
    Job = 2,
    Notification = 3,
}

/// <summary>
/// A place in the live feed of an organization: the transaction of a row's last change, then its kind and id. A row that changes again moves to the end. All rows
/// below the database's horizon are final, so a reader that stops there and goes on later misses nothing.
/// </summary>
internal readonly record struct LivePosition(ulong ChangedIn, LiveKind Kind, Guid Id) : IComparable<LivePosition>
{
    private static readonly Guid Last = new("ffffffff-ffff-ffff-ffff-ffffffffffff");

    /// <summary>Everything of earlier transactions is behind it.</summary>
    public static LivePosition At(ulong horizon) => new(horizon, LiveKind.None, Guid.Empty);

    public int CompareTo(LivePosition other) =>
        ChangedIn != other.ChangedIn ? ChangedIn.CompareTo(other.ChangedIn) : Kind != other.Kind ? Kind.CompareTo(other.Kind) : Id.CompareTo(other.Id);

    /// <summary>Rows of a kind that come after this have a larger (transaction, id) than (<see cref="ChangedIn"/>, this).</summary>
    public Guid BoundOf(LiveKind kind) => kind < Kind ? Last : kind > Kind ? Guid.Empty : Id;

    /// <summary>The event's id: opaque to callers.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{ChangedIn}.{(int)Kind + 1}.{Id:N}");

    /// <summary>Null for a text that isn't an event's id.</summary>
    public static LivePosition? Parse(string text) =>
        text.Split('.') is [var changedIn, ['0' or '1' or '2' or '3' or '4'] kind, var id]
        && ulong.TryParse(changedIn, NumberStyles.None, CultureInfo.InvariantCulture, out var transaction)
        && Guid.TryParseExact(id, "N", out var row)
            ? new LivePosition(transaction, (LiveKind)(kind[0] - '1'), row)
            : null;
}
