using Npgsql.Internal;
using Pgvector;

namespace AgentPlatform.Data.Vectors;

/// <summary>pgvector's binary form: int16 dimensions, int16 zero, then that many big-endian float4.</summary>
internal sealed class VectorConverter : PgStreamingConverter<Vector>
{
    private const int HeaderBytes = 2 * sizeof(short);

    public override Vector Read(PgReader reader) => ReadAsync(async: false, reader, CancellationToken.None).GetAwaiter().GetResult();

    public override ValueTask<Vector> ReadAsync(PgReader reader, CancellationToken cancellationToken = default) => ReadAsync(async: true, reader, cancellationToken);

    public override Size GetSize(SizeContext context, Vector value, ref object? writeState) => HeaderBytes + (value.ToArray().Length * sizeof(float));

    public override void Write(PgWriter writer, Vector value) => WriteAsync(async: false, writer, value, CancellationToken.None).GetAwaiter().GetResult();

    public override ValueTask WriteAsync(PgWriter writer, Vector value, CancellationToken cancellationToken = default) => WriteAsync(async: true, writer, value, cancellationToken);

    private static async ValueTask<Vector> ReadAsync(bool async, PgReader reader, CancellationToken cancellationToken)
    {
        await Buffer(async, reader, HeaderBytes, cancellationToken).ConfigureAwait(false);
        var elements = new float[reader.ReadInt16()];
        reader.ReadInt16();
        for (var i = 0; i < elements.Length; i++)
        {
            await Buffer(async, reader, sizeof(float), cancellationToken).ConfigureAwait(false);
            elements[i] = reader.ReadFloat();
        }

        return new Vector(elements);
    }

    private static async ValueTask WriteAsync(bool async, PgWriter writer, Vector value, CancellationToken cancellationToken)
    {
        var elements = value.ToArray();
        await Flush(async, writer, HeaderBytes, cancellationToken).ConfigureAwait(false);
        writer.WriteInt16(checked((short)elements.Length));
        writer.WriteInt16(0);
        for (var i = 0; i < elements.Length; i++)
        {
            await Flush(async, writer, sizeof(float), cancellationToken).ConfigureAwait(false);
            writer.WriteFloat(elements[i]);
        }
    }

    private static ValueTask Buffer(bool async, PgReader reader, int bytes, CancellationToken cancellationToken)
    {
        if (!reader.ShouldBuffer(bytes))
        {
            return ValueTask.CompletedTask;
        }

        if (async)
        {
            return reader.BufferAsync(bytes, cancellationToken);
        }

        reader.Buffer(bytes);
        return ValueTask.CompletedTask;
    }

    private static ValueTask Flush(bool async, PgWriter writer, int bytes, CancellationToken cancellationToken)
    {
        if (!writer.ShouldFlush(bytes))
        {
            return ValueTask.CompletedTask;
        }

        if (async)
        {
            return writer.FlushAsync(cancellationToken);
        }

        writer.Flush();
        return ValueTask.CompletedTask;
    }
}
