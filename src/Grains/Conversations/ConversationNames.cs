using AgentPlatform.Conversations;
using AgentPlatform.Data.Conversations;

namespace AgentPlatform.Grains.Conversations;

/// <summary>
/// Decides whose names are whose. A person's names at a platform change: a number moves and may be somebody else's next, an id rotates, a group becomes a supergroup. Pure.
/// </summary>
internal static class ConversationNames
{
    /// <summary>
    /// A number that a person moves to may have been somebody else's before. Who has written under it only since so long before the move is taken for the same person; the
    /// platform redelivers for up to a week, in any order.
    /// </summary>
    public static readonly TimeSpan SamePersonWithin = TimeSpan.FromDays(7);

    /// <summary>The names in a batch that are the person's.</summary>
    public static IEnumerable<string> Present(InboundContact contact) => contact.Identities.Where(name => !IsGivenUp(contact, name));

    /// <summary>True when the batch tells that names were given up.</summary>
    public static bool IsRename(InboundContact contact) => !contact.GivenUp.IsDefaultOrEmpty;

    /// <summary>
    /// True when a batch that came to a name which the person gave up is the person's all the same: it tells of the move itself, or was written before it.
    /// </summary>
    public static bool IsFromBefore(InboundBatch batch, string name, DateTimeOffset givenUpAt) =>
        IsGivenUp(batch.Contact, name) || (batch.Messages.Length > 0 && batch.Messages.All(message => message.PlatformTimestamp < givenUpAt));

    /// <summary>
    /// Names in a batch that the conversation's person is not known by. Those that were given up come back only by a move that came after; one told late leads to where the
    /// person is no more.
    /// </summary>
    /// <param name="at">When a move that the batch tells of happened.</param>
    public static string[] New(ConversationState state, InboundContact contact, DateTimeOffset at) =>
        [.. Present(contact).Where(name => !state.Identities.Contains(name) && (state.GaveUpAt(name) is not { } left || (IsRename(contact) && left < at)))];

    /// <summary>The name that answers go to: a phone number where there is one, as every version of the platform takes it; else the best of the names.</summary>
    public static string? AddressAmong(IEnumerable<string> names, string platform)
    {
        string? first = null;
        foreach (var name in names)
        {
            if (platform != "whatsapp" || IsNumber(name))
            {
                return name;
            }

            first ??= name;
        }

        return first;
    }

    /// <summary>
    /// What to do with another contact who has a name that this conversation's person is called by now: true when both are one person, false when the name is the other's no more.
    /// </summary>
    /// <param name="movedAt">When the person moved to the name; null when a message simply names both.</param>
    public static bool IsSamePerson(NameHolder other, InboundContact contact, DateTimeOffset? movedAt)
    {
        if (!IsNumber(other.Name))
        {
            return true; // ids are given once
        }

        if (movedAt is { } at)
        {
            return other.FirstInboundAt is not { } first || first >= at - SamePersonWithin;
        }

        // A number beside two different ids is a number that has gone from the one to the other.
        return !other.Names.Any(name => IsScopedId(name)) || !contact.Identities.Any(IsScopedId) || other.Names.Any(name => IsScopedId(name) && contact.Identities.Contains(name));
    }

    /// <summary>A phone number: numbers are given to somebody else in time.</summary>
    public static bool IsNumber(string name) => name.Length is >= 5 and <= 16 && !name.AsSpan(name[0] == '+' ? 1 : 0).ContainsAnyExceptInRange('0', '9');

    private static bool IsGivenUp(InboundContact contact, string name) => IsRename(contact) && contact.GivenUp.Contains(name);

    /// <summary>WhatsApp's business-scoped id: two letters of a country, a dot.</summary>
    private static bool IsScopedId(string name) => name.Length > 3 && char.IsAsciiLetterUpper(name[0]) && char.IsAsciiLetterUpper(name[1]) && name[2] == '.';
}
