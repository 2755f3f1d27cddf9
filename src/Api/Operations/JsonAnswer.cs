using System.Buffers;
using System.Text.Json;

namespace AgentPlatform.Api.Operations;

/// <summary>A JSON answer written straight to bytes.</summary>
public sealed class JsonAnswer : IResult
{
    private JsonAnswer(int status, ReadOnlyMemory<byte> body)
    {
        Status = status;
        Body = body;
    }

    public int Status { get; }

    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>Sent as <c>ETag</c>.</summary>
    public long? Version { get; init; }

    /// <summary>Sent as <c>Location</c>.</summary>
    public string? Location { get; init; }

    /// <summary>An object with the members that are written.</summary>
    public static JsonAnswer Of(Action<Utf8JsonWriter> members, int status = StatusCodes.Status200OK) =>
        new(status, Write(json =>
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }));

    public static JsonAnswer OfBytes(ReadOnlyMemory<byte> body, int status = StatusCodes.Status200OK, long? version = null, string? location = null) =>
        new(status, body) { Version = version, Location = location };

    /// <summary>Writes JSON to bytes.</summary>
    public static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(buffer);
        write(json);
        json.Flush();
        return buffer.WrittenMemory;
    }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = Body.Length;
        if (Version is { } version)
        {
            response.Headers.ETag = EntityTag.Of(version);
        }
        if (Location is not null)
        {
            response.Headers.Location = Location;
        }
        await response.Body.WriteAsync(Body, httpContext.RequestAborted);
    }
}
