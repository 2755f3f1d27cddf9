using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AgentPlatform.Bench.Data;

namespace AgentPlatform.Bench.Load;

/// <summary>Whole HTTP requests, made and signed beforehand in one block of memory, so that sending one costs next to nothing.</summary>
public sealed class PreparedRequests
{
    private readonly byte[] _bytes;
    private readonly int[] _ends;

    private PreparedRequests(byte[] bytes, int[] ends)
    {
        _bytes = bytes;
        _ends = ends;
    }

    /// <summary>How many.</summary>
    public int Count => _ends.Length;

    /// <summary>One request: head and body.</summary>
    public ReadOnlyMemory<byte> this[int index]
    {
        get
        {
            var start = index == 0 ? 0 : _ends[index - 1];
            return _bytes.AsMemory(start, _ends[index] - start);
        }
    }

    /// <summary>Webhooks as WhatsApp sends them, each with one text message and an id of its own.</summary>
    public static PreparedRequests Make(LoadOrder order)
    {
        var writer = new MemoryStream(order.Requests * 820);
        var ends = new int[order.Requests];
        var key = Encoding.UTF8.GetBytes(order.AppSecret);
        var run = Convert.ToHexString(RandomNumberGenerator.GetBytes(6));
        var hash = new byte[SHA256.HashSizeInBytes];
        for (var i = 0; i < ends.Length; i++)
        {
            var contact = order.FirstContact + i % order.Contacts;
            SHA256.HashData(Encoding.ASCII.GetBytes($"{run}{i}"), hash);
            var body = Encoding.UTF8.GetBytes(Body(contact, "wamid." + Convert.ToBase64String(hash), i));
            writer.Write(Encoding.ASCII.GetBytes(Head(order, body, key)));
            writer.Write(body);
            ends[i] = (int)writer.Position;
        }
        return new PreparedRequests(writer.GetBuffer(), ends);
    }

    /// <summary>Now, in seconds since 1970: what is told to be of another day is not answered.</summary>
    private static readonly long Began = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    private static string Body(int contact, string id, int index)
    {
        var from = Identities.Contact(contact);
        return $$$"""
            {"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"{{{Identities.PhoneNumberId}}}"},"contacts":[{"profile":{"name":"Contact {{{contact}}}"},"wa_id":"{{{from}}}"}],"messages":[{"from":"{{{from}}}","id":"{{{id}}}","timestamp":"{{{Began + index / 1000}}}","text":{"body":"Good day, is there still a place on the tour of {{{1 + index % 30}}} May for two people?"},"type":"text"}]},"field":"messages"}]}]}
            """;
    }

    private static string Head(LoadOrder order, byte[] body, byte[] key)
    {
        var signature = key.Length == 0 ? "" : "X-Hub-Signature-256: sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(key, body)) + "\r\n";
        return string.Create(CultureInfo.InvariantCulture,
            $"POST {order.Path} HTTP/1.1\r\nHost: 127.0.0.1:{order.Port}\r\nContent-Type: application/json\r\nUser-Agent: facebookexternalua\r\n{signature}Content-Length: {body.Length}\r\n\r\n");
    }
}
