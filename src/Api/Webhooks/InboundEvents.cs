using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using AgentPlatform.Channels;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Webhooks;

/// <summary>
/// What one webhook body says: messages by conversation, each conversation's in the order of the body; receipts by channel, for they are found by the message that they name, whoever
/// it went to.
/// </summary>
internal sealed class InboundEvents
{
    private List<(ChannelSettings Channel, ImmutableArray<DeliveryReceipt>.Builder Receipts)>? _receipts;
    private ConversationEvents? _first;
    private Dictionary<ConversationKey, ConversationEvents>? _all;

    /// <summary>Messages and receipts together.</summary>
    public int Count { get; private set; }

    /// <summary>Adds one message.</summary>
    public void Add(ChannelSettings channel, in PlatformContact contact, InboundMessage message)
    {
        Of(channel, contact).Add(message);
        Count++;
    }

    /// <summary>Adds one receipt.</summary>
    public void Add(ChannelSettings channel, DeliveryReceipt receipt)
    {
        _receipts ??= [];
        var of = _receipts.FindIndex(group => group.Channel.Id == channel.Id);
        if (of < 0)
        {
            of = _receipts.Count;
            _receipts.Add((channel, ImmutableArray.CreateBuilder<DeliveryReceipt>(1)));
        }

        _receipts[of].Receipts.Add(receipt);
        Count++;
    }

    /// <summary>Hands all of it on, as much at once as the gate lets; ends when all is committed, and fails when one has failed.</summary>
    public Task Deliver(IGrainFactory grains, InboundGate gate, string? traceParent, CancellationToken cancellationToken) =>
        _receipts is null ? DeliverMessages(grains, gate, traceParent, cancellationToken)
        : Task.WhenAll([DeliverMessages(grains, gate, traceParent, cancellationToken), .. _receipts.Select(group => grains.GetGrain<IReceiptGrain>(group.Channel.Id).Record(group.Channel.OrganizationId, group.Receipts.ToImmutable()))]);

    private Task DeliverMessages(IGrainFactory grains, InboundGate gate, string? traceParent, CancellationToken cancellationToken)
    {
        if (_all is null)
        {
            return _first?.Deliver(grains, gate, traceParent, cancellationToken) ?? Task.CompletedTask;
        }

        return DeliverAll([.. _all.Values], grains, gate, traceParent, cancellationToken);
    }

    /// <summary>As many at once as the gate can have places for, for a body may name ten thousand people. All are tried; then the first failure is thrown.</summary>
    private static async Task DeliverAll(ConversationEvents[] conversations, IGrainFactory grains, InboundGate gate, string? traceParent, CancellationToken cancellationToken)
    {
        var next = -1;
        Exception? first = null;
        await Task.WhenAll(Enumerable.Range(0, Math.Min(gate.Places, conversations.Length)).Select(_ => DeliverNext()));
        if (first is not null)
        {
            ExceptionDispatchInfo.Throw(first);
        }

        async Task DeliverNext()
        {
            for (int i; (i = Interlocked.Increment(ref next)) < conversations.Length;)
            {
                try
                {
                    await conversations[i].Deliver(grains, gate, traceParent, cancellationToken);
                }
                catch (Exception failure)
                {
                    Interlocked.CompareExchange(ref first, failure, null);
                    if (cancellationToken.IsCancellationRequested)
                    {
                        return; // the platform is gone, and will come again
                    }
                }
            }
        }
    }

    /// <summary>Channels and messages by name, for the log: what a failure concerns.</summary>
    public string Describe()
    {
        var conversations = _all?.Values.ToArray() ?? (_first is null ? [] : [_first]);
        var messages = conversations.SelectMany(conversation => conversation.PlatformIds.Select(id => (conversation.Key.ChannelId, Name: id)));
        var receipts = (_receipts ?? []).SelectMany(group => group.Receipts.Select(receipt => (group.Channel.Id, Name: $"{receipt.Status} {receipt.PlatformMessageId}")));
        return string.Join("; ", messages.Concat(receipts).GroupBy(told => told.Item1).Select(channel => $"channel {channel.Key}: {WebhookLog.Names([.. channel.Select(told => told.Name)])}"));
    }

    private ConversationEvents Of(ChannelSettings channel, in PlatformContact contact)
    {
        var key = new ConversationKey(channel.Id, contact.Identities[0]);
        if (_first is null)
        {
            return _first = new ConversationEvents(channel, key, contact);
        }

        if (_all is null)
        {
            if (_first.Key == key)
            {
                return _first.Meet(contact);
            }

            _all = new() { [_first.Key] = _first };
        }

        if (_all.TryGetValue(key, out var known))
        {
            return known.Meet(contact);
        }

        return _all[key] = new ConversationEvents(channel, key, contact);
    }
}

/// <summary>A person as one event of a body names them.</summary>
internal readonly record struct PlatformContact(
    ImmutableArray<string> Identities, string? Name = null, string? Username = null, string? Phone = null, string? Language = null, bool? IsReachable = null, bool IsGroup = false)
{
    /// <summary>Null also where there is nothing to be seen in what the platform tells.</summary>
    public string? Name { get; init; } = TypedText.Name(Name);

    public string? Username { get; init; } = TypedText.Name(Username);

    /// <summary>Those of the names that are the person's no more.</summary>
    public ImmutableArray<string> GivenUp { get; init; } = [];

    /// <summary>A further name; as one that the person gave up, if so.</summary>
    public PlatformContact With(string? identity, bool isGivenUp = false)
    {
        if (string.IsNullOrWhiteSpace(identity) || identity.Length > ConversationKey.MaxPlatformUserIdLength)
        {
            return this;
        }

        return this with
        {
            Identities = Identities.Contains(identity) ? Identities : Identities.Add(identity),
            GivenUp = isGivenUp && !GivenUp.Contains(identity) ? GivenUp.Add(identity) : GivenUp,
        };
    }
}

/// <summary>The events of one conversation in one body.</summary>
internal sealed class ConversationEvents(ChannelSettings channel, ConversationKey key, in PlatformContact contact)
{
    /// <summary>Most names for one person in one body.</summary>
    private const int MaxIdentities = 16;

    private PlatformContact _contact = contact;
    private InboundMessage? _message;
    private ImmutableArray<InboundMessage>.Builder? _messages;

    public ConversationKey Key { get; } = key;

    /// <summary>The platform's ids of the messages.</summary>
    public IEnumerable<string> PlatformIds => (_messages ?? (_message is null ? [] : (IEnumerable<InboundMessage>)[_message])).Select(message => message.PlatformMessageId);

    public void Add(InboundMessage message)
    {
        if (_message is null)
        {
            _message = message;
            return;
        }

        if (_messages is null)
        {
            _messages = ImmutableArray.CreateBuilder<InboundMessage>();
            _messages.Add(_message);
        }

        _messages.Add(message);
    }

    /// <summary>The same person, named once more: what is newer holds, identities gather.</summary>
    public ConversationEvents Meet(in PlatformContact again)
    {
        var identities = _contact.Identities;
        foreach (var identity in again.Identities)
        {
            if (identities.Length < MaxIdentities && !identities.Contains(identity))
            {
                identities = identities.Add(identity);
            }
        }

        _contact = new PlatformContact(
            identities,
            again.Name ?? _contact.Name,
            again.Username ?? _contact.Username,
            again.Phone ?? _contact.Phone,
            again.Language ?? _contact.Language,
            again.IsReachable ?? _contact.IsReachable,
            again.IsGroup || _contact.IsGroup)
        {
            GivenUp = [.. _contact.GivenUp.Union(again.GivenUp)],
        };
        return this;
    }

    public async Task Deliver(IGrainFactory grains, InboundGate gate, string? traceParent, CancellationToken cancellationToken)
    {
        using var place = await gate.Take(channel.OrganizationId, cancellationToken);
        await Deliver(grains, traceParent);
    }

    private Task Deliver(IGrainFactory grains, string? traceParent)
    {
        var conversation = grains.GetGrain<IConversationGrain>(Key.ToString());
        return conversation.Receive(new InboundBatch
        {
            OrganizationId = channel.OrganizationId,
            ChannelId = channel.Id,
            Contact = new InboundContact
            {
                Identities = _contact.Identities,
                Name = _contact.Name,
                Username = _contact.Username,
                Phone = _contact.Phone,
                Language = _contact.Language,
                IsReachable = _contact.IsReachable,
                IsGroup = _contact.IsGroup,
                GivenUp = _contact.GivenUp,
            },
            Messages = _messages?.ToImmutable() ?? ImmutableArray.Create(_message!),
            TraceParent = traceParent,
        });
    }
}
