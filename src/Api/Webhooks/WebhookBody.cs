using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace AgentPlatform.Api.Webhooks;

/// <summary>The raw bytes of a webhook. They stay valid until it is disposed; ordinary bodies are not copied.</summary>
internal readonly struct WebhookBody : IDisposable
{
    private readonly PipeReader? _reader;
    private readonly SequencePosition _end;
    private readonly byte[]? _rented;

    private WebhookBody(PipeReader reader, ReadOnlySequence<byte> sequence)
    {
        _reader = reader;
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

    /// <summary>True when it was larger than the limit: there are no bytes then.</summary>
    public bool IsTooLarge => _reader is null;

    /// <summary>Reads a body of up to <paramref name="maxBytes"/>.</summary>
    /// <exception cref="BadHttpRequestException">The client sent less than it announced, or too slowly.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<WebhookBody> Read(HttpRequest request, int maxBytes)
    {
        if (request.ContentLength > maxBytes)
        {
            return default;
        }

        var reader = request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync(CancellationToken.None); // a client that goes away ends it too; its token would cost an object for each request
            if (result.Buffer.Length > maxBytes)
            {
                reader.AdvanceTo(result.Buffer.End);
                return default;
            }

            if (result.IsCompleted)
            {
                return new WebhookBody(reader, result.Buffer);
            }

            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    public void Dispose()
    {
        _reader?.AdvanceTo(_end);
        if (_rented is not null)
        {
            ArrayPool<byte>.Shared.Return(_rented);
        }
    }
}
