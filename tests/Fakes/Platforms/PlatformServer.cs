using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Fakes.Platforms;

/// <summary>What the emulators have in common: a real HTTP server on a free port, faults in a queue, and nothing between the socket and the emulator.</summary>
public abstract class PlatformServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentQueue<PlatformFault> _faults = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _waiting = new();
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiters = [];
    private int _accepted;
    private int _requests;
    private int _disposed;

    /// <param name="port">Port on loopback; 0 for a free one.</param>
    private protected PlatformServer(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, port);
            kestrel.AddServerHeader = false;
        });
        _application = builder.Build();
        _application.Run(Handle);
    }

    /// <summary>Base URL, without a slash at its end.</summary>
    public string BaseUrl { get; private set; } = "";

    /// <summary>Messages that were accepted so far.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Lets one of the next requests go wrong; faults are used in the order in which they were given.</summary>
    public void FailNext(PlatformFault fault) => _faults.Enqueue(fault);

    /// <summary>Decides about each request when the queue is empty; null for none. Gets the request's number, from 1.</summary>
    public Func<int, PlatformFault?>? FaultFor { get; set; }

    /// <summary>Ends when so many messages were accepted in all.</summary>
    public Task WhenAccepted(int count, CancellationToken cancellationToken = default)
    {
        lock (_waiting)
        {
            if (Accepted >= count)
            {
                return Task.CompletedTask;
            }

            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((count, reached));
            return reached.Task.WaitAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        await _stopping.CancelAsync();
        await _application.StopAsync();
        await _application.DisposeAsync();
        _stopping.Dispose();
    }

    private protected async Task ListenAsync()
    {
        await _application.StartAsync();
        BaseUrl = _application.Urls.First().TrimEnd('/');
    }

    /// <summary>Answers one request whose body is read.</summary>
    private protected abstract PlatformReply Answer(HttpRequest request, ReadOnlyMemory<byte> body);

    private protected void CountAccepted()
    {
        lock (_waiting)
        {
            _accepted++;
            for (var i = _waiters.Count - 1; i >= 0; i--)
            {
                if (_accepted >= _waiters[i].Count)
                {
                    _waiters[i].Reached.SetResult();
                    _waiters.RemoveAt(i);
                }
            }
        }
    }

    private async Task Handle(HttpContext context)
    {
        var body = await ReadBody(context);
        var number = Interlocked.Increment(ref _requests);
        var fault = _faults.TryDequeue(out var next) ? next : FaultFor?.Invoke(number);
        switch (fault)
        {
            case PlatformFault.Hang:
                using (var gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping.Token))
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, gone.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }

                context.Abort();
                return;
            case PlatformFault.Drop(var accept):
                if (accept)
                {
                    Answer(context.Request, body);
                }

                context.Abort();
                return;
            case PlatformFault.Answer answer:
                if (answer.RetryAfterText is { } text)
                {
                    context.Response.Headers.RetryAfter = text;
                }
                else if (answer.RetryAfter is { } wait)
                {
                    context.Response.Headers.RetryAfter = ((long)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
                }

                await Write(context, new PlatformReply(answer.Status, System.Text.Encoding.UTF8.GetBytes(answer.Body ?? "")));
                return;
            default:
                await Write(context, Answer(context.Request, body));
                return;
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBody(HttpContext context)
    {
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = 1024 * 1024;
        var reader = context.Request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync(context.RequestAborted);
            if (result.IsCompleted)
            {
                var body = result.Buffer.ToArray();
                reader.AdvanceTo(result.Buffer.End);
                return body;
            }

            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    private static async Task Write(HttpContext context, PlatformReply reply)
    {
        context.Response.StatusCode = reply.Status;
        context.Response.ContentType = "application/json; charset=UTF-8";
        context.Response.ContentLength = reply.Body.Length;
        await context.Response.BodyWriter.WriteAsync(reply.Body, context.RequestAborted);
    }
}

/// <summary>What an emulator answers.</summary>
internal readonly record struct PlatformReply(int Status, ReadOnlyMemory<byte> Body);
