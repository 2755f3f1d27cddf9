using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using AgentPlatform.Fakes.WhatsApp;

namespace AgentPlatform.Bench.Neighbours;

/// <summary>An organization that asks for all it can get, in a process of its own that leaves the processors to all others: what it costs is what the product does for it.</summary>
public static class FloodProcess
{
    /// <summary>The first argument of such a process.</summary>
    public const string Argument = "flood";

    private const int Connections = 64;

    /// <summary>The number of its WhatsApp channel, and the secret of its app.</summary>
    public const string PhoneNumberId = "777000777", AppSecret = "the flood's own secret";

    /// <summary>New people who write, in one body.</summary>
    private const int SendersOfBody = 20;

    /// <summary>What it may ask for.</summary>
    public static readonly string[] Kinds = ["lists", "searches", "reports", "changes", "passwords", "uploads", "streams", "webhooks"];

    /// <summary>Starts one; it goes on until it is disposed of.</summary>
    public static Process Start(string kind, Uri address, IEnumerable<string> tokens, Guid channel)
    {
        var start = new ProcessStartInfo("nice") { RedirectStandardInput = true };
        foreach (var argument in (string[])["-n", "19", Environment.ProcessPath!, typeof(FloodProcess).Assembly.Location, Argument])
        {
            start.ArgumentList.Add(argument);
        }
        var process = Process.Start(start)!;
        process.StandardInput.WriteLine(JsonSerializer.Serialize(new Order(kind, address, [.. tokens], channel)));
        return process;
    }

    /// <summary>Reads its order from the input, and floods until that ends.</summary>
    public static async Task ServeAsync(TextReader input)
    {
        var order = JsonSerializer.Deserialize<Order>((await input.ReadLineAsync())!)!;
        using var end = new CancellationTokenSource();
        var flood = Enumerable.Range(0, Connections).Select(number => Flood(order, number, end.Token)).ToArray();
        await input.ReadToEndAsync(CancellationToken.None);
        await end.CancelAsync();
        await Task.WhenAll(flood);
    }

    private static async Task Flood(Order order, int number, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = order.Address, Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", order.Tokens[number % order.Tokens.Length]);
        for (var round = 0; !cancellationToken.IsCancellationRequested; round++)
        {
            try
            {
                using var request = Request(order, string.Create(CultureInfo.InvariantCulture, $"{number}.{round}"), number * 1_000_000L + round);
                using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
                await answer.Content.CopyToAsync(Stream.Null, cancellationToken);
            }
            catch (Exception broken) when (broken is HttpRequestException or IOException or OperationCanceledException)
            {
                // A refused or broken connection is what a flood gets: it comes again.
            }
        }
    }

    private static HttpRequestMessage Request(Order order, string name, long count) => order.Kind switch
    {
        "lists" => new(HttpMethod.Get, "/v1/clients?limit=200&sort=-createdAt"),
        "searches" => new(HttpMethod.Get, $"/v1/clients?limit=200&q={name}"),
        "reports" => new(HttpMethod.Get, "/v1/analytics/summary"),
        "changes" => new(HttpMethod.Post, "/v1/clients") { Content = JsonContent.Create(new { firstName = name, source = "flood" }) },
        "passwords" => new(HttpMethod.Post, "/v1/auth/change-password") { Content = JsonContent.Create(new { currentPassword = name, newPassword = $"seven blue elephants {name}" }) },
        "uploads" => new(HttpMethod.Post, $"/v1/files?name={name}") { Content = new ByteArrayContent(RandomNumberGenerator.GetBytes(1024 * 1024)) { Headers = { ContentType = new("application/octet-stream") } } },
        "streams" => new(HttpMethod.Get, "/v1/events"),
        "webhooks" => Webhook(order.Channel, count * SendersOfBody),
        _ => throw new InvalidOperationException($"There is no flood of {order.Kind}."),
    };

    private static HttpRequestMessage Webhook(Guid channel, long first)
    {
        var people = Enumerable.Range(0, SendersOfBody).Select(index => (10_000_000_000L + first + index).ToString(CultureInfo.InvariantCulture)).ToArray();
        var body = WhatsAppBodies.Messages(PhoneNumberId, null, [.. people.Select(person => WhatsAppBodies.TextMessage(person, $"wamid.{person}", "Good day, are there places left?"))]);
        return new HttpRequestMessage(HttpMethod.Post, $"/webhooks/whatsapp/{channel}") { Content = new ByteArrayContent(body), Headers = { { WhatsAppBodies.SignatureHeader, WhatsAppBodies.Sign(body, AppSecret) } } };
    }

    private sealed record Order(string Kind, Uri Address, string[] Tokens, Guid Channel);
}
