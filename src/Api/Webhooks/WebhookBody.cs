using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using AgentPlatform.Api.Limits;
using AgentPlatform.Api.Problems;

namespace AgentPlatform.Api.Webhooks;

/// <summary>The raw bytes of a webhook. They stay valid until it is disposed; ordinary bodies are not copied.</summary>
internal readonly struct WebhookBody : IDisposable
{
    private readonly PipeReader? _reader;
    private readonly SequencePosition _end;
    private readonly byte[]? _rented;
    private readonly ByteBudget<string>.Loan _memory;

    private WebhookBody(Problem refusal) => Refusal = refusal;

    private WebhookBody(PipeReader reader, ReadOnlySequence<byte> sequence, ByteBudget<string>.Loan memory)
    {
        _reader = reader;
        _memory = memory;
        _end = sequence.End;
        if (sequence.IsSingleSegment)
        {
            Bytes = sequence.First;
        }
        else
        {
            _rented = ArrayPool<byte>.Shared.Rent((int)sequence.Length);
            sequence.CopyTo(_rented);
            Bytes = _rented.AsMemory(0, (int)sequence.Length);
        }
    }

    /// <summary>The body, whole.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Why it wasn't read, if so: there are no bytes then.</summary>
    public Problem? Refusal { get; }

    /// <summary>Reads a body, within the limits of <paramref name="options"/> and the memory that <paramref name="bodies"/> have for it.</summary>
    /// <exception cref="BadHttpRequestException">The client sent less than it announced, or too slowly.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<WebhookBody> Read(HttpRequest request, WebhookOptions options, WebhookBodies bodies, TimeProvider clock)
    {
        if (request.ContentLength > options.MaxBodyBytes)
        {
            return new WebhookBody(WebhookProblems.BodyTooLarge(options));
        }

        var reader = request.BodyReader;
        var memory = default(ByteBudget<string>.Loan);
        var (isLarge, isRead) = (false, false);
        ITimer? deadline = null;
        try
        {
            if (request.ContentLength > WebhookOptions.SmallBodyBytes && !(isLarge = bodies.TryTakeLarge(request, request.ContentLength.Value, out memory)))
            {
                return new WebhookBody(WebhookProblems.TooManyLarge(options));
            }

            while (true)
            {
                var reading = reader.ReadAsync(CancellationToken.None); // a client that goes away ends it too; its token would cost an object for each request
                if (!reading.IsCompleted)
                {
                    deadline ??= clock.CreateTimer(static reader => ((PipeReader)reader!).CancelPendingRead(), reader, options.BodyTime, Timeout.InfiniteTimeSpan);
                }

                var result = await reading;
                var length = result.Buffer.Length;
                // What doesn't tell its length may become as long as any.
                var refusal = length > options.MaxBodyBytes ? WebhookProblems.BodyTooLarge(options)
                    : length > WebhookOptions.SmallBodyBytes && !isLarge && !(isLarge = bodies.TryTakeLarge(request, result.IsCompleted ? length : options.MaxBodyBytes, out memory)) ? WebhookProblems.TooManyLarge(options)
                    : result.IsCanceled && !result.IsCompleted ? WebhookProblems.BodyTooSlow(options)
                    : null;
                if (refusal is null && result.IsCompleted)
                {
                    var body = new WebhookBody(reader, result.Buffer, memory);
                    isRead = true;
                    return body;
                }

                reader.AdvanceTo(refusal is null ? result.Buffer.Start : result.Buffer.End, result.Buffer.End);
                if (refusal is not null)
                {
                    return new WebhookBody(refusal);
                }
            }
        }
        finally
        {
            if (deadline is not null)
            {
                await deadline.DisposeAsync(); // what it cancels later would be the next request's
            }

            if (!isRead)
            {
                memory.Dispose();
            }
        }
    }

    public void Dispose()
    {
        _reader?.AdvanceTo(_end);
        if (_rented is not null)
        {
            ArrayPool<byte>.Shared.Return(_rented);
        }

        _memory.Dispose();
    }
}
