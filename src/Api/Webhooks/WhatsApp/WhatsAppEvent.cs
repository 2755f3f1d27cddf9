using AgentPlatform.Conversations;

namespace AgentPlatform.Api.Webhooks.WhatsApp;

/// <summary>One message or receipt of a body, and the phone number of ours that it concerns.</summary>
/// <param name="PhoneNumberId">Null when the body doesn't tell.</param>
internal readonly record struct WhatsAppEvent(string? PhoneNumberId, PlatformContact Contact, InboundMessage? Message, DeliveryReceipt? Receipt);

/// <summary>What a body holds, in its order.</summary>
internal sealed class WhatsAppEvents
{
    private WhatsAppEvent[] _events = new WhatsAppEvent[1];

    public int Count { get; private set; }

    /// <summary>Events that name nobody: they can't be stored anywhere, and are counted.</summary>
    public int Unattributable { get; set; }

    /// <summary>Codes of problems that the platform reports about itself, in <c>value.errors</c>.</summary>
    public List<string>? PlatformErrors { get; set; }

    public ref readonly WhatsAppEvent this[int index] => ref _events[index];

    public void Add(in WhatsAppEvent item)
    {
        if (Count == _events.Length)
        {
            Array.Resize(ref _events, Count * 4);
        }

        _events[Count++] = item;
    }
}

/// <summary>The body is authentic, but not a webhook of WhatsApp. The message says why, fit to be shown.</summary>
internal sealed class WhatsAppFormatException(string message) : Exception(message);
