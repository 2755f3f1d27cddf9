using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using AgentPlatform.Api.Tests.Survival;
using AgentPlatform.Fakes;
using AgentPlatform.Fakes.Postgres;

namespace AgentPlatform.Cluster.Tests;

/// <summary>Whoever has no certificate of the cluster's authority gets no word in at its ports.</summary>
public sealed class ClusterTlsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Only_processes_with_a_certificate_of_the_cluster_are_spoken_with()
    {
        using var certificates = new ClusterCertificates();
        using var others = new ClusterCertificates();
        await using var database = await TestDatabase.CreateAsync();
        var (siloPort, gatewayPort) = (TestPorts.Next(), TestPorts.Next());
        var cluster = new Dictionary<string, string> { ["ORLEANS_CLUSTERING"] = "postgres", ["ORLEANS_CLUSTER_ID"] = $"tls-{gatewayPort}", ["ORLEANS_ADVERTISED_IP"] = "127.0.0.1" };
        await using var silo = new SiloProcess(database.Url, new(cluster.Concat(certificates.Settings("silo"))) { ["ORLEANS_SILO_PORT"] = $"{siloPort}", ["ORLEANS_GATEWAY_PORT"] = $"{gatewayPort}", ["API_IN_SILO"] = "false" });
        await silo.Start();
        await using var api = new SiloProcess(database.Url, new(cluster.Concat(certificates.Settings("api"))), "Api");
        await api.Start();

        // What needs a grain works: signing up starts one.
        using var client = new HttpClient { BaseAddress = api.Address };
        var signedUp = await client.PostAsJsonAsync("/v1/auth/sign-up", new { email = "anna@example.com", password = "seven blue elephants", organizationName = "Anna" });
        Assert.Equal(HttpStatusCode.Created, signedUp.StatusCode);

        using var own = certificates.Sign("another silo");
        using var expired = certificates.Sign("an old silo", days: -1);
        using var foreign = others.Sign("silo");
        foreach (var port in (int[])[siloPort, gatewayPort])
        {
            Assert.False(await IsSentAway(port, own, TimeSpan.FromSeconds(1)), $"{port}: ours");
            Assert.True(await IsSentAway(port, null, Patience), $"{port}: none");
            Assert.True(await IsSentAway(port, foreign, Patience), $"{port}: another authority's");
            Assert.True(await IsSentAway(port, expired, Patience), $"{port}: expired");
            Assert.False(await Answers(port), $"{port}: in the clear");
        }
        Assert.DoesNotContain("neither encrypted nor guarded", silo.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_without_says_that_its_ports_are_open_and_wrong_settings_end_it_by_name()
    {
        using var certificates = new ClusterCertificates();
        await using var database = await TestDatabase.CreateAsync();
        var cluster = new Dictionary<string, string> { ["ORLEANS_CLUSTERING"] = "postgres", ["ORLEANS_CLUSTER_ID"] = $"clear-{TestPorts.Next()}", ["ORLEANS_ADVERTISED_IP"] = "127.0.0.1" };
        await using (var silo = new SiloProcess(database.Url, cluster))
        {
            await silo.Start();
            Assert.Contains("neither encrypted nor guarded", silo.Log, StringComparison.Ordinal);
        }
        foreach (var wrong in (Dictionary<string, string>[])[
            new() { ["ORLEANS_TLS_CERTIFICATE"] = "/nowhere.pem" },
            new() { ["ORLEANS_TLS_AUTHORITY"] = "/nowhere.pem" },
            new() { ["ORLEANS_TLS_CERTIFICATE"] = "/nowhere.pem", ["ORLEANS_TLS_KEY"] = "/nowhere.key" },
            new(certificates.Settings("silo")) { ["ORLEANS_TLS_AUTHORITY"] = "/dev/null" }])
        {
            await using var silo = new SiloProcess(database.Url, new(cluster.Concat(wrong)));
            await Assert.ThrowsAnyAsync<Exception>(silo.Start);
            Assert.Contains("ORLEANS_TLS_", silo.Log, StringComparison.Ordinal);
        }
    }

    /// <summary>Whether the connection of somebody with a certificate, or none, is ended before he has said anything. Whoever is let in is waited for.</summary>
    private static async Task<bool> IsSentAway(int port, X509Certificate2? certificate, TimeSpan within)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, port);
        await using var ssl = new SslStream(tcp.GetStream());
        try
        {
            await ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "agentplatform",
                ClientCertificates = certificate is null ? [] : [certificate],
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
                EnabledSslProtocols = SslProtocols.Tls13,
            });
            return await ssl.ReadAsync(new byte[1]).AsTask().WaitAsync(within) == 0;
        }
        catch (Exception refused) when (refused is IOException or AuthenticationException)
        {
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static async Task<bool> Answers(int port)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, port);
        await tcp.GetStream().WriteAsync(new byte[64]);
        try
        {
            var answer = new byte[1];
            // A TLS alert is what it may say.
            return await tcp.GetStream().ReadAsync(answer).AsTask().WaitAsync(Patience) > 0 && answer[0] != 0x15;
        }
        catch (IOException)
        {
            return false;
        }
    }

}
