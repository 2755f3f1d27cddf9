using System.Net;
using AgentPlatform.Data.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Data.Tests.Http;

public sealed class GuardedHttpTests : IAsyncLifetime
{
    private WebApplication _server = null!;
    private int _requests;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.MapGet("/hello", () => $"{Interlocked.Increment(ref _requests)}");
        _server.MapGet("/elsewhere", () => Results.Redirect("/hello"));
        _server.MapGet("/large", () => new string('x', 200_000));
        await _server.StartAsync();
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_name_that_points_to_this_machine_is_not_connected_to()
    {
        using var client = Client(allowsPrivate: false);
        foreach (var host in new[] { "127.0.0.1", "localhost", "[::ffff:127.0.0.1]" })
        {
            var failure = await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new UriBuilder(_server.Urls.First()) { Host = host, Path = "/hello" }.Uri));
            Assert.IsType<EndpointRefusedException>(failure.InnerException);
        }

        Assert.Equal(0, _requests);
    }

    [Fact]
    public async Task Where_private_addresses_are_allowed_it_is_reached_but_redirects_are_not_followed()
    {
        using var client = Client(allowsPrivate: true);

        Assert.Equal("1", await client.GetStringAsync(_server.Urls.First() + "/hello"));
        using var redirect = await client.GetAsync(_server.Urls.First() + "/elsewhere");
        Assert.Equal(HttpStatusCode.Redirect, redirect.StatusCode);
        Assert.Equal(1, _requests);
    }

    [Fact]
    public async Task Long_answers_are_refused()
    {
        using var client = Client(allowsPrivate: true);

        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(_server.Urls.First() + "/large"));
    }

    private static HttpClient Client(bool allowsPrivate)
    {
        var services = new ServiceCollection();
        services.AddSingleton(new EndpointOptions { AllowPrivateEndpoints = allowsPrivate, MaxResponseBytes = 100_000 });
        services.AddGuardedHttp(new ConfigurationBuilder().Build());
        services.AddGuardedHttpClient("test", TimeSpan.FromSeconds(30));
        return services.BuildServiceProvider().GetRequiredService<IHttpClientFactory>().CreateClient("test");
    }
}
