using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using AgentPlatform.Fakes.Platforms;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Fakes.WhatsApp;

/// <summary>
/// Emulates Meta's Graph API for WhatsApp: takes messages and read marks, checks them as strictly as documented, records them, and can send receipts back by
/// webhook. Point a channel's <c>settings.apiBaseUrl</c> at <see cref="PlatformServer.BaseUrl"/>.
/// </summary>
public sealed class FakeGraphApi : PlatformServer
{
    private readonly ConcurrentDictionary<string, string> _tokens = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<GraphMessage> _messages = new();
    private readonly ConcurrentQueue<GraphReadMark> _readMarks = new();
    private readonly ConcurrentQueue<string> _rejections = new();
    private readonly Channel<GraphMessage> _news = Channel.CreateUnbounded<GraphMessage>();
    private readonly ConcurrentDictionary<string, PairBudget> _pairs = new(StringComparer.Ordinal);
    private readonly TimeProvider _clock;
    private long _lastId;

    private FakeGraphApi(int port, TimeProvider clock)
        : base(port) => _clock = clock;

    /// <summary>The secret of the app whose tokens these are.</summary>
    public string AppSecret { get; set; } = "";

    /// <summary>False keeps no messages: for loads.</summary>
    public bool Records { get; set; } = true;

    /// <summary>True applies the limit to one person: 45 at once, then one in 6 s; error 131056 beyond.</summary>
    public bool LimitsPairs { get; set; }

    /// <summary>Is told of every accepted message, for example to send receipts.</summary>
    public Action<GraphMessage>? OnAccepted { get; set; }

    /// <summary>Accepted messages, oldest first.</summary>
    public IReadOnlyList<GraphMessage> Messages => [.. _messages];

    /// <summary>Accepted read marks, oldest first.</summary>
    public IReadOnlyList<GraphReadMark> ReadMarks => [.. _readMarks];

    /// <summary>Why requests were refused, oldest first. Empty at the end of a test that is about something else.</summary>
    public IReadOnlyList<string> Rejections => [.. _rejections];

    /// <summary>Starts the emulator.</summary>
    /// <param name="port">Port on loopback; 0 for a free one.</param>
    /// <param name="clock">For <see cref="LimitsPairs"/>; the system's where null.</param>
    public static async Task<FakeGraphApi> StartAsync(int port = 0, TimeProvider? clock = null)
    {
        var api = new FakeGraphApi(port, clock ?? TimeProvider.System);
        await api.ListenAsync();
        return api;
    }

    /// <summary>Makes a phone number known.</summary>
    public FakeGraphApi AddNumber(string phoneNumberId, string accessToken)
    {
        _tokens[phoneNumberId] = accessToken;
        return this;
    }

    /// <summary>The next accepted message that was not taken yet.</summary>
    public ValueTask<GraphMessage> NextMessage(CancellationToken cancellationToken = default) => _news.Reader.ReadAsync(cancellationToken);

    private protected override PlatformReply Answer(HttpRequest request, ReadOnlyMemory<byte> body)
    {
        var path = request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (request.Method == "GET" && path.Length == 2 && path[0].StartsWith('v'))
        {
            return Number(request, path[1]);
        }
        if (request.Method != "POST" || path.Length != 3 || path[2] != "messages" || !path[0].StartsWith('v') || !_tokens.TryGetValue(path[1], out var token))
        {
            return Error(400, 100, "Unsupported post request", "The object does not exist or cannot be loaded");
        }

        if (request.Headers.Authorization != "Bearer " + token)
        {
            return Error(401, 190, "Invalid OAuth access token - Cannot parse access token", null);
        }

        if (request.ContentType?.StartsWith("application/json", StringComparison.Ordinal) != true)
        {
            return Error(400, 100, "Invalid parameter", "Content-Type must be application/json");
        }

        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.TryGetProperty("status", out _) ? Mark(path[1], document.RootElement) : Accept(path[1], document.RootElement);
        }
        catch (Exception refused) when (refused is RejectedException or JsonException or InvalidOperationException)
        {
            return Error(400, 100, "Invalid parameter", refused.Message);
        }
    }

    /// <summary>A number as its owner reads it. A proof of the app's secret is checked where one is given.</summary>
    private PlatformReply Number(HttpRequest request, string phoneNumberId)
    {
        if (!_tokens.TryGetValue(phoneNumberId, out var token))
        {
            return Error(400, 100, "Unsupported get request", "The object does not exist or cannot be loaded");
        }
        if (request.Headers.Authorization != "Bearer " + token)
        {
            return Error(401, 190, "Invalid OAuth access token - Cannot parse access token", null);
        }
        var proof = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(AppSecret), Encoding.UTF8.GetBytes(token)));
        return request.Query["appsecret_proof"] is { Count: > 0 } given && given != proof
            ? Error(400, 100, "Invalid appsecret_proof provided in the API argument", null)
            : new PlatformReply(200, Encoding.UTF8.GetBytes($$"""{"id":"{{phoneNumberId}}"}"""));
    }

    private PlatformReply Mark(string phoneNumberId, JsonElement root)
    {
        var mark = GraphRules.ReadMark(phoneNumberId, new StrictJson(root, "body"));
        if (Records)
        {
            _readMarks.Enqueue(mark);
        }

        return new PlatformReply(200, Encoding.UTF8.GetBytes("""{"success":true}"""));
    }

    private PlatformReply Accept(string phoneNumberId, JsonElement root)
    {
        var id = "wamid.fake." + Interlocked.Increment(ref _lastId).ToString("D10", CultureInfo.InvariantCulture);
        var message = GraphRules.Message(phoneNumberId, id, root);
        if (LimitsPairs && !_pairs.GetOrAdd($"{phoneNumberId}/{message.Recipient}", _ => new PairBudget()).TryTake(_clock))
        {
            return Error(400, 131056, "(#131056) (Business Account, Consumer Account) pair rate limit hit", null);
        }

        if (Records)
        {
            _messages.Enqueue(message);
            _news.Writer.TryWrite(message);
        }

        CountAccepted();
        OnAccepted?.Invoke(message);
        var contact = message.IsUserId
            ? $$"""{"input":"{{message.Recipient}}","user_id":"{{message.Recipient}}"}"""
            : $$"""{"input":"{{message.Recipient}}","wa_id":"{{message.Recipient}}"}""";
        return new PlatformReply(200, Encoding.UTF8.GetBytes($$"""{"messaging_product":"whatsapp","contacts":[{{contact}}],"messages":[{"id":"{{id}}"}]}"""));
    }

    private PlatformReply Error(int status, int code, string message, string? details)
    {
        _rejections.Enqueue($"{code} {message}: {details}");
        return new PlatformReply(status, Encoding.UTF8.GetBytes(GraphError.Body(code, message, details)));
    }

    private sealed class PairBudget
    {
        private const int Burst = 45;
        private static readonly TimeSpan Refill = TimeSpan.FromSeconds(6);
        private readonly Lock _lock = new();
        private double _tokens = Burst;
        private DateTimeOffset _at = DateTimeOffset.MinValue;

        public bool TryTake(TimeProvider clock)
        {
            lock (_lock)
            {
                var now = clock.GetUtcNow();
                _tokens = _at == DateTimeOffset.MinValue ? Burst : Math.Min(Burst, _tokens + ((now - _at) / Refill));
                _at = now;
                if (_tokens < 1)
                {
                    return false;
                }

                _tokens--;
                return true;
            }
        }
    }
}

/// <summary>Error bodies of the Graph API.</summary>
public static class GraphError
{
    /// <summary>The body for a code.</summary>
    public static string Body(int code, string message, string? details = null) => JsonSerializer.Serialize(new
    {
        error = details is null
            ? (object)new { message, type = "OAuthException", code, fbtrace_id = "AFakeTraceId" }
            : new { message, type = "OAuthException", code, error_data = new { messaging_product = "whatsapp", details }, fbtrace_id = "AFakeTraceId" },
    });

    /// <summary>The fault that a code comes with.</summary>
    public static PlatformFault Fault(int code, int status = 400, TimeSpan? retryAfter = null) =>
        new PlatformFault.Answer(status, Body(code, $"(#{code.ToString(CultureInfo.InvariantCulture)}) emulated error"), retryAfter);
}
