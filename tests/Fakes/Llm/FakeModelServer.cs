using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Fakes.Llm;

/// <summary>
/// A server that speaks OpenAI's chat completions (streamed and whole) and embeddings as documented, refuses what the documented API refuses, and can be told to fail in
/// every way that a model's server fails. Cheap enough to stand behind a benchmark.
/// </summary>
public sealed class FakeModelServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentQueue<FakeModelBehaviour> _next = new();
    private int _numbers;
    private int _rejected;

    private FakeModelServer(int port)
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

    /// <summary>What <c>llm_credentials.base_url</c> is set to: ends in <c>/v1</c>.</summary>
    public string BaseUrl { get; private set; } = "";

    /// <summary>The only key that is accepted; null accepts any.</summary>
    public string? ApiKey { get; set; }

    /// <summary>Decides about each request to the model when nothing was enqueued; answers every question alike by default.</summary>
    public Func<FakeModelRequest, FakeModelBehaviour> Behave { get; set; } = static request => new FakeModelBehaviour.Answer($"You said: {request.CustomerText}");

    /// <summary>Decides about each request for vectors; null (no refusal) by default.</summary>
    public Func<int, FakeModelBehaviour.Refuse?> RefuseEmbeddings { get; set; } = static _ => null;

    /// <summary>Whether requests are kept in <see cref="Requests"/>; a benchmark switches it off.</summary>
    public bool RecordsRequests { get; set; } = true;

    /// <summary>Requests to the model that kept to the protocol, in order of arrival.</summary>
    public ConcurrentQueue<FakeModelRequest> Requests { get; } = new();

    /// <summary>Texts that vectors were asked for.</summary>
    public ConcurrentQueue<string> Embedded { get; } = new();

    /// <summary>How many requests to the model came.</summary>
    public int Count => Volatile.Read(ref _numbers);

    /// <summary>Requests that broke the protocol: a test that means well has none.</summary>
    public int Rejected => Volatile.Read(ref _rejected);

    /// <summary>The next request to the model meets this, before <see cref="Behave"/> is asked.</summary>
    public void Enqueue(params FakeModelBehaviour[] behaviours)
    {
        foreach (var behaviour in behaviours)
        {
            _next.Enqueue(behaviour);
        }
    }

    /// <summary>Starts a server.</summary>
    /// <param name="port">Port on loopback; 0 for a free one.</param>
    public static async Task<FakeModelServer> StartAsync(int port = 0)
    {
        var server = new FakeModelServer(port);
        await server._application.StartAsync();
        server.BaseUrl = server._application.Urls.First().TrimEnd('/') + "/v1";
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _application.StopAsync();
        await _application.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task Handle(HttpContext context)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping.Token);
        try
        {
            await Route(context, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The caller went away, or the server stops.
            context.Abort();
        }
    }

    private async Task Route(HttpContext context, CancellationToken cancellationToken)
    {
        var key = context.Request.Headers.Authorization.ToString();
        if (!key.StartsWith("Bearer ", StringComparison.Ordinal) || key.Length == 7 || (ApiKey is { } only && key[7..] != only))
        {
            await Reject(context, 401, "invalid_api_key", "Incorrect API key provided.", null);
            return;
        }

        var path = context.Request.Path.Value;
        if (context.Request.Method != "POST" || path is not ("/v1/chat/completions" or "/v1/embeddings"))
        {
            await Reject(context, 404, "unknown_url", $"Unknown request URL: {context.Request.Method} {path}.", null);
            return;
        }

        JsonDocument document;
        try
        {
            document = await JsonDocument.ParseAsync(context.Request.Body, default, cancellationToken);
        }
        catch (JsonException)
        {
            await Reject(context, 400, "invalid_json", "We could not parse the JSON body of your request.", null);
            return;
        }

        using (document)
        {
            if (context.Request.ContentType?.StartsWith("application/json", StringComparison.Ordinal) != true)
            {
                await Reject(context, 400, "invalid_content_type", "Content-Type must be application/json.", null);
            }
            else if ((path == "/v1/embeddings" ? ModelRules.CheckEmbeddings(document.RootElement) : ModelRules.CheckChat(document.RootElement)) is { } refusal)
            {
                await Reject(context, 400, "invalid_request", refusal.Message, refusal.Parameter);
            }
            else if (path == "/v1/embeddings")
            {
                await Embed(context, document.RootElement);
            }
            else
            {
                await Chat(context, FakeModelRequest.Read(Interlocked.Increment(ref _numbers), key[7..], document.RootElement), cancellationToken);
            }
        }
    }

    private async Task Chat(HttpContext context, FakeModelRequest request, CancellationToken cancellationToken)
    {
        if (RecordsRequests)
        {
            Requests.Enqueue(request);
        }

        var behaviour = _next.TryDequeue(out var next) ? next : Behave(request);
        if (behaviour.Delay > TimeSpan.Zero)
        {
            await Task.Delay(behaviour.Delay, cancellationToken);
        }

        await FakeModelReply.Write(context, request, behaviour, cancellationToken);
    }

    private async Task Embed(HttpContext context, JsonElement root)
    {
        var input = root.GetProperty("input");
        string[] texts = input.ValueKind == JsonValueKind.Array ? [.. input.EnumerateArray().Select(text => text.GetString()!)] : [input.GetString()!];
        if (RefuseEmbeddings(texts.Length) is { } refusal)
        {
            await FakeModelReply.Refuse(context, refusal);
            return;
        }

        foreach (var text in RecordsRequests ? texts : [])
        {
            Embedded.Enqueue(text);
        }

        var dimensions = root.TryGetProperty("dimensions", out var wanted) ? wanted.GetInt32() : 1536;
        var asBase64 = root.TryGetProperty("encoding_format", out var format) && format.GetString() == "base64";
        await FakeModelReply.WriteEmbeddings(context, root.GetProperty("model").GetString()!, texts, dimensions, asBase64);
    }

    private Task Reject(HttpContext context, int status, string code, string message, string? parameter)
    {
        Interlocked.Increment(ref _rejected);
        return FakeModelReply.WriteError(context, status, code, message, parameter);
    }
}
