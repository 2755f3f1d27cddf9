using System.Net;
using AgentPlatform.Data.Http;

namespace AgentPlatform.Data.Tests.Http;

public sealed class EndpointPolicyTests
{
    private readonly EndpointPolicy _strict = new(new EndpointOptions());
    private readonly EndpointPolicy _open = new(new EndpointOptions { AllowPrivateEndpoints = true });

    [Theory]
    [InlineData("https://graph.facebook.com")]
    [InlineData("https://gateway.example.com:8443/path")]
    [InlineData("https://8.8.8.8")]
    [InlineData("https://[2606:4700:4700::1111]")]
    public void Public_https_addresses_are_allowed(string url) => Assert.Null(_strict.Check(new Uri(url)));

    [Theory]
    [InlineData("http://example.com")]
    [InlineData("ftp://example.com")]
    [InlineData("file:///etc/passwd")]
    [InlineData("https://user:password@example.com")]
    [InlineData("https://localhost")]
    [InlineData("https://LOCALHOST.:443")]
    [InlineData("https://db.internal")]
    [InlineData("https://printer.local")]
    [InlineData("https://127.0.0.1")]
    [InlineData("https://127.1")]
    [InlineData("https://2130706433")]
    [InlineData("https://0x7f.0.0.1")]
    [InlineData("https://10.1.2.3")]
    [InlineData("https://[::1]")]
    [InlineData("https://[::ffff:10.0.0.1]")]
    [InlineData("https://[fd00::1]")]
    public void Anything_else_is_refused_with_a_reason(string url) => Assert.StartsWith("it must", _strict.Check(new Uri(url)), StringComparison.Ordinal);

    [Theory]
    [InlineData("http://127.0.0.1:8080")]
    [InlineData("http://localhost")]
    [InlineData("https://10.0.0.1")]
    public void Private_addresses_are_allowed_where_the_operator_says_so(string url) => Assert.Null(_open.Check(new Uri(url)));

    [Fact]
    public void Even_then_only_http_without_passwords()
    {
        Assert.NotNull(_open.Check(new Uri("ftp://127.0.0.1")));
        Assert.NotNull(_open.Check(new Uri("http://a:b@127.0.0.1")));
        Assert.NotNull(_open.Check(new Uri("relative", UriKind.Relative)));
        Assert.Contains("2048", _open.Check(new Uri("http://127.0.0.1/" + new string('a', 3000))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.255.255.255")]
    [InlineData("100.64.0.1")]
    [InlineData("127.0.0.53")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.1")]
    [InlineData("192.0.2.1")]
    [InlineData("192.168.1.1")]
    [InlineData("198.18.0.1")]
    [InlineData("198.51.100.7")]
    [InlineData("203.0.113.7")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::ffff:192.168.0.1")]
    [InlineData("64:ff9b::a00:1")]
    [InlineData("64:ff9b:1::1")]
    [InlineData("100::1")]
    [InlineData("2001::1")]
    [InlineData("2001:db8::1")]
    [InlineData("2002:a00:1::")]
    [InlineData("3fff::1")]
    [InlineData("fc00::1")]
    [InlineData("fe80::1")]
    [InlineData("ff02::1")]
    public void Special_addresses_are_not_public(string address) => Assert.False(EndpointPolicy.IsPublic(IPAddress.Parse(address)));

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.1")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.1")]
    [InlineData("192.0.1.1")]
    [InlineData("223.255.255.255")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("64:ff9b::808:808")]
    [InlineData("2001:200::1")]
    [InlineData("2a00:1450:4001:80b::200e")]
    public void Their_neighbours_are(string address) => Assert.True(EndpointPolicy.IsPublic(IPAddress.Parse(address)));
}
