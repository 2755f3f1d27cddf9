using AgentPlatform.Conversations;

namespace AgentPlatform.Api.Webhooks.WhatsApp;

/// <summary>What a change tells about whom its messages concern: our number, and the people by name.</summary>
internal struct WhatsAppChange
{
    private Person _first;
    private List<Person>? _others;
    private Dictionary<string, Person>? _index;

    public string? PhoneNumberId;

    /// <summary>One of <c>contacts</c>.</summary>
    public readonly record struct Person(string? WaId, string? UserId, string? Name, string? Username);

    public int People { get; private set; }

    public void Add(in Person person)
    {
        if (People++ == 0)
        {
            _first = person;
        }
        else
        {
            (_others ??= []).Add(person);
        }
    }

    /// <summary>
    /// The person behind an event, from what the event itself says and what <c>contacts</c> adds. False when neither names anybody.
    /// People are joined only on an equal id: two ids that merely stand in the same change may be two people.
    /// </summary>
    public bool TryIdentify(string? waId, string? userId, out PlatformContact contact)
    {
        var person = waId is null && userId is null
            ? People == 1 ? _first : default
            : Find(waId, userId);
        waId = Valid(waId ?? person.WaId);
        userId = Valid(userId ?? person.UserId);
        if ((userId ?? waId) is not { } best)
        {
            contact = default;
            return false;
        }

        contact = new PlatformContact(
            userId is not null && waId is not null ? [userId, waId] : [best],
            person.Name,
            person.Username,
            waId is null ? null : PhoneOf(waId));
        return true;
    }

    /// <summary>A <c>wa_id</c> as E.164; null when it is no number.</summary>
    public static string? PhoneOf(string waId) =>
        waId.Length is >= 5 and <= 15 && waId[0] != '0' && !waId.AsSpan().ContainsAnyExceptInRange('0', '9') ? "+" + waId : null;

    private static string? Valid(string? identity) =>
        string.IsNullOrWhiteSpace(identity) || identity.Length > ConversationKey.MaxPlatformUserIdLength ? null : identity;

    private Person Find(string? waId, string? userId)
    {
        if (People == 0 || IsSame(_first, waId, userId))
        {
            return _first;
        }

        if (_others is null)
        {
            return default;
        }

        if (_index is null)
        {
            _index = new(StringComparer.Ordinal);
            foreach (var other in _others)
            {
                _index.TryAdd(other.UserId is null ? "" : "u" + other.UserId, other);
                _index.TryAdd(other.WaId is null ? "" : "w" + other.WaId, other);
            }
        }

        return userId is not null && _index.TryGetValue("u" + userId, out var byUserId) ? byUserId
            : waId is not null && _index.TryGetValue("w" + waId, out var byWaId) && (userId is null || byWaId.UserId is null) ? byWaId
            : default;
    }

    private static bool IsSame(in Person person, string? waId, string? userId) =>
        userId is not null && person.UserId is not null ? userId == person.UserId : waId is not null && waId == person.WaId;
}
