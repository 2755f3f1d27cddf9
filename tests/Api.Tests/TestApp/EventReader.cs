using System.Net;
using System.Text.Json.Nodes;

namespace AgentPlatform.Api.Tests.TestApp;

/// <summary>A server-sent event.</summary>
public sealed record ServerEvent(string Id, string Type, JsonObject Data);

/// <summary>Reads a stream of server-sent events as a browser does.</summary>
public sealed class EventReader : IDisposable
{
    private readonly HttpResponseMessage _answer;
    private readonly StreamReader _reader;

    private EventReader(HttpResponseMessage answer, StreamReader reader)
    {
        _answer = answer;
        _reader = reader;
    }

    public string? LastId { get; private set; }

    public static async Task<EventReader> Open(HttpClient client, string path = "/v1/events", string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }
        var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        return new EventReader(answer, new StreamReader(await answer.Content.ReadAsStreamAsync()));
    }

    /// <summary>The next event; null at the end of the stream. Fails after <see cref="Eventually.Patience"/>.</summary>
    public async Task<ServerEvent?> Next()
    {
        using var patience = new CancellationTokenSource(Eventually.Patience);
        var (id, type, data) = ("", "", "");
        while (await _reader.ReadLineAsync(patience.Token) is { } line)
        {
            switch (line.Split(": ", 2))
            {
                case ["id", var value]:
                    id = value;
                    break;
                case ["event", var value]:
                    type = value;
                    break;
                case ["data", var value]:
                    data = value;
                    break;
                case [""] when type.Length > 0:
                    LastId = id;
                    return new ServerEvent(id, type, JsonNode.Parse(data)!.AsObject());
            }
        }
        return null;
    }

    /// <summary>Waits for a comment: a sign of life.</summary>
    public async Task NextComment()
    {
        using var patience = new CancellationTokenSource(Eventually.Patience);
        string? line;
        do
        {
            line = await _reader.ReadLineAsync(patience.Token);
            Assert.NotNull(line);
        }
        while (!line.StartsWith(':'));
    }

    /// <summary>The next event of a type, skipping others.</summary>
    public async Task<ServerEvent> Next(string type)
    {
        while (await Next() is { } next)
        {
            if (next.Type == type)
            {
                return next;
            }
        }
        throw new InvalidOperationException($"The stream ended before an event of type {type}.");
    }

    public void Dispose()
    {
        _reader.Dispose();
        _answer.Dispose();
    }
}
