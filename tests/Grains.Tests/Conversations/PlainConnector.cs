using System.Collections.Concurrent;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using AgentPlatform.Grains.Channels;

namespace AgentPlatform.Grains.Tests.Conversations;

/// <summary>A platform that takes any text, remembers what it was sent, and answers as it is told.</summary>
internal sealed class PlainConnector(string platform = "whatsapp") : IChannelConnector
{
    public ConcurrentQueue<OutboundMessage> Sent { get; } = new();

    public Func<OutboundMessage, CancellationToken, Task<SendResult>> Answer { get; set; } =
        static (message, _) => Task.FromResult(new SendResult(SendOutcome.Sent, $"out.{message.MessageId:N}"));

    public string Platform => platform;
    public double SendRatePerSecond => 100_000;
    public (int Burst, TimeSpan Refill) PairLimit => (1000, TimeSpan.FromMilliseconds(1));
    public bool ReportsCorrelation { get; set; } = true;
    public TimeSpan? ServiceWindow { get; set; }

    public ContentParts Prepare(OutgoingContent content) =>
        string.IsNullOrEmpty(content.Text) ? new ContentParts([], "There is nothing to send.") : new ContentParts([new PreparedContent(ContentTypes.Text, content.Text)]);

    public Func<PlatformError, PlatformVerdict> Verdict { get; set; } = static _ => new PlatformVerdict(SendOutcome.Permanent);

    public PlatformVerdict Judge(in PlatformError error) => Verdict(error);

    public async Task<SendResult> Send(ChannelSettings channel, OutboundMessage message, CancellationToken cancellationToken)
    {
        Sent.Enqueue(message);
        return await Answer(message, cancellationToken);
    }

    public Task MarkReadAndTyping(ChannelSettings channel, string recipient, string platformMessageId, bool typing, CancellationToken cancellationToken) => Task.CompletedTask;
}
