namespace AgentPlatform.Grains.Llm.OpenAi;

/// <summary>The body of an answer: fails when it grows beyond the limit, and tells of each read, so that silence can be noticed.</summary>
internal sealed class WatchedStream(Stream body, int maxBytes, Action onRead) : Stream
{
    private int _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _read;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Count(await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => Count(body.Read(buffer, offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            body.Dispose();
        }

        base.Dispose(disposing);
    }

    private int Count(int bytes)
    {
        onRead();
        _read += bytes;
        return _read <= maxBytes ? bytes : throw new LlmException(LlmErrorKind.BadAnswer, $"The model's answer is longer than Engine:Llm:MaxResponseBytes ({maxBytes}).") { ShouldRetry = false };
    }
}
