using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using AgentPlatform.Api.Problems;
using AgentPlatform.Channels;
using AgentPlatform.Conversations;

namespace AgentPlatform.Api.WebChat;

/// <summary>
/// Event streams of visitors. An event <c>message</c> has the message's sequence as its id, so that <c>Last-Event-ID</c> resumes without a gap or a repeat;
/// <c>reset</c> says that the position given, or the conversation shown until now, is not the visitor's conversation (any more): what follows begins with its first message;
/// <c>typing</c> says whether an answer is under way; <c>replaced</c> ends a stream of a visitor who opened too many others; a comment keeps a silent
/// connection open.
/// </summary>
internal sealed partial class VisitorStreams(
    VisitorMessages messages, ConversationHints hints, IGrainFactory grains, WebChatOptions options, TimeProvider clock, IHostApplicationLifetime lifetime, ILogger<VisitorStreams> logger)
{
    private const int PageSize = 100;

    private readonly ConcurrentDictionary<Visitor, ImmutableArray<OpenStream>> _open = new();

    /// <summary>Streams of a channel's visitors that are open in this process.</summary>
    public int Open(Guid channelId) => _open.Where(visitor => visitor.Key.ChannelId == channelId).Sum(visitor => visitor.Value.Length);

    /// <summary>The visitor has written: streams that began before the conversation did look again.</summary>
    public void Wake(Visitor visitor)
    {
        foreach (var stream in _open.GetValueOrDefault(visitor, []))
        {
            stream.Tell();
        }
    }

    /// <summary>Writes events until the visitor leaves, the token ends or this process stops.</summary>
    public async Task Run(HttpContext context, Widget widget, Visitor visitor, long after, DateTimeOffset tokenEnd)
    {
        using var stream = new OpenStream(clock);
        var all = _open.AddOrUpdate(visitor, static (_, added) => [added], static (_, open, added) => open.Add(added), stream);
        // A tab that was closed or lost its network is often not known to be gone: the newest streams stay, the oldest ends.
        foreach (var old in all.Take(all.Length - options.StreamsPerVisitor))
        {
            old.Replace();
        }
        using var tokenEnds = new CancellationTokenSource(Later(tokenEnd), clock);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping, tokenEnds.Token, stream.Replaced);
        try
        {
            await Write(context.Response, widget, visitor, after, stream, ends.Token);
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            LogEnded(logger, widget.ChannelId, visitor.Id);
            if (stream.Replaced.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
            {
                Event(context.Response.BodyWriter, "replaced", "{}"u8, null);
                await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            }
        }
        catch (Exception failure) when (context.Response.HasStarted && KnownFailures.ToProblem(failure) is not null)
        {
            LogBroken(logger, widget.ChannelId, visitor.Id, failure.GetType().Name);
            context.Abort();
        }
        finally
        {
            _open.AddOrUpdate(visitor, static (_, _) => [], static (_, open, removed) => open.Remove(removed), stream);
            _open.TryRemove(new KeyValuePair<Visitor, ImmutableArray<OpenStream>>(visitor, []));
        }
    }

    private async Task Write(HttpResponse response, Widget widget, Visitor visitor, long after, OpenStream stream, CancellationToken cancellationToken)
    {
        // The first look comes before the answer's head: a database that is away is still a 503.
        var page = await messages.After(widget, visitor, after, PageSize, cancellationToken);
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        response.HttpContext.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpResponseBodyFeature>()?.DisableBuffering();
        Comment(response.BodyWriter, "ready");
        IDisposable? watch = null;
        Guid? shown = null;
        var wasTyping = false;
        try
        {
            while (true)
            {
                // An erased contact's visitor may go on writing: in another conversation, whose sequence begins again.
                var isAnother = shown is not null && page.ConversationId != shown;
                if (isAnother)
                {
                    watch?.Dispose();
                    watch = null;
                    if (!page.IsFromStart && page.ConversationId is not null)
                    {
                        page = await messages.After(widget, visitor, 0, PageSize, cancellationToken);
                    }
                }
                if (isAnother || page.IsFromStart)
                {
                    after = 0;
                    Event(response.BodyWriter, "reset", "{}"u8, null);
                }
                shown = page.ConversationId;
                foreach (var message in page.Messages)
                {
                    Event(response.BodyWriter, "message", message.Json.Span, message.Sequence);
                    after = message.Sequence;
                }
                if (page.IsTyping != wasTyping)
                {
                    wasTyping = page.IsTyping;
                    Event(response.BodyWriter, "typing", wasTyping ? "{\"isTyping\":true}"u8 : "{\"isTyping\":false}"u8, null);
                }
                await response.BodyWriter.FlushAsync(cancellationToken);
                await RecordDelivered(widget, visitor, page.Messages);
                var isNewConversation = watch is null && page.ConversationId is not null;
                if (isNewConversation)
                {
                    watch = hints.Watch(widget.OrganizationId, page.ConversationId!.Value, stream.Tell);
                }
                // What happened between the look and the watch would have no hint: look once more.
                if (!page.HasMore && !isNewConversation && !await stream.Wait(options.Heartbeat, cancellationToken))
                {
                    Comment(response.BodyWriter, "still here");
                }
                page = await messages.After(widget, visitor, after, PageSize, cancellationToken);
            }
        }
        finally
        {
            watch?.Dispose();
        }
    }

    /// <summary>Tells the conversation which of its messages have been written to the visitor's connection. A failure costs only the mark.</summary>
    public async Task RecordDelivered(Widget widget, Visitor visitor, IReadOnlyList<VisitorMessage> shown)
    {
        var now = clock.GetUtcNow();
        var receipts = shown.Where(message => message.IsUndelivered)
            .Select(message => new DeliveryReceipt { PlatformMessageId = message.Id.ToString("D"), Status = MessageStatus.Delivered, MessageId = message.Id, At = now }).ToImmutableArray();
        if (receipts.IsEmpty)
        {
            return;
        }
        try
        {
            await grains.GetGrain<IReceiptGrain>(visitor.ChannelId).Record(widget.OrganizationId, receipts);
        }
        catch (Exception failure)
        {
            LogNotRecorded(logger, widget.ChannelId, visitor.Id, string.Join(", ", receipts.Select(receipt => receipt.MessageId)), failure.GetType().Name);
        }
    }

    /// <summary>A timer holds at most some 49 days.</summary>
    private TimeSpan Later(DateTimeOffset end)
    {
        var left = end - clock.GetUtcNow();
        return left < TimeSpan.Zero ? TimeSpan.Zero : left > TimeSpan.FromDays(40) ? TimeSpan.FromDays(40) : left;
    }

    private static void Event(IBufferWriter<byte> output, string name, ReadOnlySpan<byte> json, long? id)
    {
        var head = id is { } sequence ? string.Create(CultureInfo.InvariantCulture, $"id: {sequence}\nevent: {name}\ndata: ") : $"event: {name}\ndata: ";
        Encoding.UTF8.GetBytes(head, output);
        output.Write(json);
        output.Write("\n\n"u8);
    }

    private static void Comment(IBufferWriter<byte> output, string text) => Encoding.UTF8.GetBytes($": {text}\n\n", output);

    [LoggerMessage(4311, LogLevel.Debug, "The event stream of visitor {VisitorId} of channel {ChannelId} ended")]
    private static partial void LogEnded(ILogger logger, Guid channelId, Guid visitorId);

    [LoggerMessage(4312, LogLevel.Warning, "Messages of channel {ChannelId} were shown to visitor {VisitorId}, but not recorded as delivered ({Failure}): {MessageIds}")]
    private static partial void LogNotRecorded(ILogger logger, Guid channelId, Guid visitorId, string messageIds, string failure);

    [LoggerMessage(4313, LogLevel.Warning, "The event stream of visitor {VisitorId} of channel {ChannelId} ends: the database is away ({Failure})")]
    private static partial void LogBroken(ILogger logger, Guid channelId, Guid visitorId, string failure);

    /// <summary>One connection of a visitor, and the news that it waits for; several before it looks are one.</summary>
    private sealed class OpenStream(TimeProvider clock) : IDisposable
    {
        private readonly SemaphoreSlim _news = new(0, 1);
        private readonly CancellationTokenSource _replaced = new();
        private readonly Lock _gate = new();
        private bool _isOver;

        /// <summary>Cancelled when the visitor opened too many others since.</summary>
        public CancellationToken Replaced => _replaced.Token;

        public void Tell()
        {
            lock (_gate)
            {
                if (!_isOver && _news.CurrentCount == 0)
                {
                    _news.Release();
                }
            }
        }

        public void Replace()
        {
            lock (_gate)
            {
                if (!_isOver)
                {
                    _replaced.CancelAsync().Ignore();
                }
            }
        }

        /// <summary>True when there was news, false when the time passed.</summary>
        public async Task<bool> Wait(TimeSpan time, CancellationToken cancellationToken)
        {
            using var timeout = new CancellationTokenSource(time, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            try
            {
                await _news.WaitAsync(either.Token);
                return true;
            }
            catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                return false;
            }
        }

        public void Dispose()
        {
            lock (_gate)
            {
                _isOver = true;
                _news.Dispose();
                _replaced.Dispose();
            }
        }
    }
}
