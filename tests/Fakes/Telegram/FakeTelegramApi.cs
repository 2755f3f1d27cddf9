using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using AgentPlatform.Fakes.Platforms;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Fakes.Telegram;

/// <summary>A message or action that the emulated Bot API accepted.</summary>
/// <param name="MessageId">0 for actions.</param>
/// <param name="Text">Text or caption.</param>
public sealed record TelegramCall(string Token, string Method, long ChatId, long MessageId, string? Text, JsonElement Body);

/// <summary>
/// Emulates the Telegram Bot API: takes messages and actions, checks them as strictly as documented, and records them. Point a channel's
/// <c>settings.apiBaseUrl</c> at <see cref="PlatformServer.BaseUrl"/>.
/// </summary>
public sealed class FakeTelegramApi : PlatformServer
{
    private readonly ConcurrentDictionary<string, bool> _tokens = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<TelegramCall> _messages = new();
    private readonly ConcurrentQueue<TelegramCall> _actions = new();
    private readonly ConcurrentQueue<string> _rejections = new();
    private readonly Channel<TelegramCall> _news = Channel.CreateUnbounded<TelegramCall>();
    private readonly ConcurrentDictionary<long, string> _refused = new();
    private readonly ConcurrentDictionary<long, long> _moved = new();
    private long _lastId;

    private FakeTelegramApi(int port)
        : base(port)
    {
    }

    /// <summary>Accepted messages, oldest first.</summary>
    public IReadOnlyList<TelegramCall> Messages => [.. _messages];

    /// <summary>Accepted actions (typing), oldest first.</summary>
    public IReadOnlyList<TelegramCall> Actions => [.. _actions];

    /// <summary>Why requests were refused, oldest first.</summary>
    public IReadOnlyList<string> Rejections => [.. _rejections];

    /// <summary>Starts the emulator.</summary>
    /// <param name="port">Port on loopback; 0 for a free one.</param>
    public static async Task<FakeTelegramApi> StartAsync(int port = 0)
    {
        var api = new FakeTelegramApi(port);
        await api.ListenAsync();
        return api;
    }

    /// <summary>Makes a bot known.</summary>
    public FakeTelegramApi AddBot(string token)
    {
        _tokens[token] = true;
        return this;
    }

    /// <summary>The person blocks every bot: 403.</summary>
    public void Block(long chatId) => _refused[chatId] = "Forbidden: bot was blocked by the user";

    /// <summary>The group has become a supergroup: 400 that names the new chat.</summary>
    public void Move(long chatId, long newChatId) => _moved[chatId] = newChatId;

    /// <summary>The next accepted message that was not taken yet.</summary>
    public ValueTask<TelegramCall> NextMessage(CancellationToken cancellationToken = default) => _news.Reader.ReadAsync(cancellationToken);

    /// <summary>The fault 429, as Telegram words it.</summary>
    public static PlatformFault TooManyRequests(int seconds) => new PlatformFault.Answer(429,
        $$$"""{"ok":false,"error_code":429,"description":"Too Many Requests: retry after {{{seconds}}}","parameters":{"retry_after":{{{seconds}}}}}""");

    private protected override PlatformReply Answer(HttpRequest request, ReadOnlyMemory<byte> body)
    {
        var path = request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (path.Length != 2 || !path[0].StartsWith("bot", StringComparison.Ordinal) || !_tokens.ContainsKey(path[0]["bot".Length..]))
        {
            return Error(401, "Unauthorized");
        }

        try
        {
            using var document = JsonDocument.Parse(body);
            return Call(path[0]["bot".Length..], path[1], document.RootElement);
        }
        catch (Exception refused) when (refused is RejectedException or JsonException or InvalidOperationException)
        {
            return Error(400, "Bad Request: " + refused.Message);
        }
    }

    private PlatformReply Call(string token, string method, JsonElement root)
    {
        var body = new StrictJson(root, "body");
        if (TelegramRules.Check(method, body) is not var (chatId, text, isAction))
        {
            return Error(404, "Not Found");
        }

        if (_moved.TryGetValue(chatId, out var newChatId))
        {
            return Error(400, "Bad Request: group chat was upgraded to a supergroup chat", $$"""{"migrate_to_chat_id":{{newChatId}}}""");
        }

        if (_refused.TryGetValue(chatId, out var refusal))
        {
            return Error(403, refusal);
        }

        if (isAction)
        {
            _actions.Enqueue(new TelegramCall(token, method, chatId, 0, null, root.Clone()));
            return new PlatformReply(200, Encoding.UTF8.GetBytes("""{"ok":true,"result":true}"""));
        }

        var message = new TelegramCall(token, method, chatId, Interlocked.Increment(ref _lastId), text, root.Clone());
        _messages.Enqueue(message);
        _news.Writer.TryWrite(message);
        CountAccepted();
        return new PlatformReply(200, Encoding.UTF8.GetBytes(
            $$$"""{"ok":true,"result":{"message_id":{{{message.MessageId}}},"date":1750000000,"chat":{"id":{{{chatId}}},"type":"private"},"text":{{{JsonSerializer.Serialize(text)}}}}}"""));
    }

    private PlatformReply Error(int code, string description, string? parameters = null)
    {
        _rejections.Enqueue($"{code} {description}");
        return new PlatformReply(code, Encoding.UTF8.GetBytes(
            $$"""{"ok":false,"error_code":{{code}},"description":{{JsonSerializer.Serialize(description)}}{{(parameters is null ? "" : ",\"parameters\":" + parameters)}}}"""));
    }
}
