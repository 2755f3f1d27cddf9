using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Fakes.Smtp;

/// <summary>A token endpoint (RFC 6749), which answers what a test says.</summary>
public sealed class FakeTokenServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<IReadOnlyDictionary<string, string>> _asked = new();
    private readonly ConcurrentQueue<(int Status, string Body)> _answers = new();

    private FakeTokenServer(WebApplication app) => _app = app;

    public Uri Url => new(new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()), "/token");

    /// <summary>The forms that came, in their order.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, string>> Asked => [.. _asked];

    public static async Task<FakeTokenServer> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls($"http://{IPAddress.Loopback}:0");
        builder.Logging.ClearProviders();
        var server = new FakeTokenServer(builder.Build());
        server._app.MapPost("/token", server.Answer);
        await server._app.StartAsync();
        return server;
    }

    /// <summary>What the next one who asks is told.</summary>
    public void Next(string body, int status = 200) => _answers.Enqueue((status, body));

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task<IResult> Answer(HttpRequest request)
    {
        var form = await request.ReadFormAsync();
        _asked.Enqueue(form.ToDictionary(field => field.Key, field => field.Value.ToString(), StringComparer.Ordinal));
        return _answers.TryDequeue(out var answer)
            ? Results.Text(answer.Body, "application/json", statusCode: answer.Status)
            : Results.Text("""{"error":"invalid_request","error_description":"Nobody said what to answer."}""", "application/json", statusCode: 400);
    }
}
