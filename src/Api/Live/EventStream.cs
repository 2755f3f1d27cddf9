using System.Buffers;
using System.Text;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;

namespace AgentPlatform.Api.Live;

/// <summary>Writes one view's events to its connection: first what it missed, then what the hub passes on.</summary>
internal sealed class EventStream(OperationRequest request, LiveHubs hubs, string? lastEventId) : IResult
{
    private readonly LiveFeed _feed = request.Service<LiveFeed>();
    private readonly ArrayBufferWriter<byte> _buffer = new(16 * 1024);
    private LivePosition _seen;
    private Caller _caller = request.Caller;
    private TaskCompletionSource _accessChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var caller = request.Caller;
        using var entry = hubs.Enter(caller);
        var stopping = httpContext.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        try
        {
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, stopping, entry.Replaced);
            using var watch = request.Service<SessionDirectory>().Watch(caller.SessionId, caller.OrganizationId, () => Volatile.Read(ref _accessChanged).TrySetResult());
            // In this order: what happens while the past is read waits in the stream.
            using var stream = await hubs.Join(caller.OrganizationId, ended.Token);
            using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(ended.Token, stream.Aborted);
            httpContext.Response.ContentType = "text/event-stream";
            httpContext.Response.Headers["X-Accel-Buffering"] = "no";
            await Begin(httpContext, cancelled.Token);
            if (await CatchUp(httpContext, stream, cancelled.Token))
            {
                await Follow(httpContext, stream, cancelled.Token);
            }
        }
        catch (OperationCanceledException) when (httpContext.Response.HasStarted && entry.Replaced.IsCancellationRequested && !httpContext.RequestAborted.IsCancellationRequested)
        {
            // What was being written when it ended may have been written in part: it is finished first.
            Write("replaced", _seen, Encoding.UTF8.GetBytes($"{{\"reason\":\"The session has more than {request.Service<ApiOptions>().StreamsPerSession} streams (API_STREAMS_PER_SESSION).\"}}"));
            await Flush(httpContext, httpContext.RequestAborted);
        }
        catch (OperationCanceledException) when (httpContext.Response.HasStarted || entry.Replaced.IsCancellationRequested || httpContext.RequestAborted.IsCancellationRequested || stopping.IsCancellationRequested)
        {
            // The reader left, was too slow to the end, or the process stops: the connection just ends, the next one goes on.
            httpContext.Abort();
        }
    }

    private async Task Begin(HttpContext context, CancellationToken cancellationToken)
    {
        var (end, future) = await _feed.End(cancellationToken);
        var known = lastEventId is null ? null : LivePosition.Parse(lastEventId);
        var isKnown = known is { } position && position.CompareTo(future) < 0;
        _seen = isKnown ? known!.Value : end;
        Write(lastEventId is null || isKnown ? "ready" : "reset", _seen, "{}"u8);
        await Flush(context, cancellationToken);
    }

    /// <summary>False when the session ended meanwhile.</summary>
    private async Task<bool> CatchUp(HttpContext context, LiveStream stream, CancellationToken cancellationToken)
    {
        while (await IsLet(context, cancellationToken))
        {
            var batch = await stream.CatchUp(_seen, cancellationToken);
            Write(batch);
            await Flush(context, cancellationToken);
            if (batch.IsFull)
            {
                continue;
            }
            // A row that isn't final yet comes by the stream, unless the hub has passed it: then it is final the next moment.
            if (batch.Pending is not { } pending || pending.CompareTo(stream.From) > 0)
            {
                return true;
            }
            await Task.Delay(LiveHub.ShortestPause, request.Service<TimeProvider>(), cancellationToken);
        }
        return false;
    }

    private async Task Follow(HttpContext context, LiveStream stream, CancellationToken cancellationToken)
    {
        var clock = request.Service<TimeProvider>();
        var heartbeat = request.Service<ApiOptions>().Heartbeat;
        while (true)
        {
            var news = stream.Batches.WaitToReadAsync(cancellationToken).AsTask();
            while (_accessChanged.Task.IsCompleted || await Task.WhenAny(news, _accessChanged.Task, Task.Delay(heartbeat, clock, cancellationToken)) != news)
            {
                var isSilent = !_accessChanged.Task.IsCompleted;
                if (!await IsLet(context, cancellationToken))
                {
                    return;
                }
                if (isSilent)
                {
                    _buffer.Write(": still here\n\n"u8);
                    await Flush(context, cancellationToken);
                }
            }
            if (!await news)
            {
                Write("dropped", _seen, Encoding.UTF8.GetBytes($"{{\"reason\":\"More than {LiveStream.MaxWaiting} batches of events waited. Connect again with Last-Event-ID.\"}}"));
                await Flush(context, cancellationToken);
                return;
            }
            while (stream.Batches.TryRead(out var batch))
            {
                if (!await IsLet(context, cancellationToken))
                {
                    return;
                }
                Write(batch);
                await Flush(context, cancellationToken);
            }
        }
    }

    /// <summary>Whether the session, or the key, still lives and may listen; what it may see from now on is what it may see now. Says so where it doesn't.</summary>
    private async Task<bool> IsLet(HttpContext context, CancellationToken cancellationToken)
    {
        if (_accessChanged.Task.IsCompleted)
        {
            // Before the look: a change that comes while looking makes another one.
            Volatile.Write(ref _accessChanged, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        if (await request.Service<SessionDirectory>().Find(_caller.SessionId, cancellationToken) is { } session)
        {
            _caller = _caller with { Role = session.Role, Scopes = session.Scopes };
            if (ApiKeyScopes.Allow(_caller, EventsEndpoints.Scope))
            {
                return true;
            }
        }
        Write("ended", _seen, "{\"reason\":\"The session has ended.\"}"u8);
        await Flush(context, cancellationToken);
        return false;
    }

    /// <summary>Rows that this view has seen (they came while it caught up) are left out.</summary>
    private void Write(LiveBatch batch)
    {
        var seen = batch.From.CompareTo(_seen) > 0 ? batch.From : _seen;
        foreach (var row in batch.Rows.Where(row => row.Position.CompareTo(_seen) > 0 && row.IsFor(_caller)))
        {
            Write(row.TypeFor(seen), row.Position, row.Json.Span);
        }
        _seen = batch.To.CompareTo(_seen) > 0 ? batch.To : _seen;
    }

    private void Write(string type, LivePosition position, ReadOnlySpan<byte> json)
    {
        _buffer.Write(Encoding.ASCII.GetBytes($"id: {position}\nevent: {type}\ndata: "));
        _buffer.Write(json);
        _buffer.Write("\n\n"u8);
    }

    private async Task Flush(HttpContext context, CancellationToken cancellationToken)
    {
        if (_buffer.WrittenCount == 0)
        {
            return;
        }
        await context.Response.Body.WriteAsync(_buffer.WrittenMemory, cancellationToken);
        await context.Response.Body.FlushAsync(cancellationToken);
        _buffer.ResetWrittenCount();
    }
}
