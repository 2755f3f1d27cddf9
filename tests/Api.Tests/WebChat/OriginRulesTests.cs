using AgentPlatform.Api.WebChat;

namespace AgentPlatform.Api.Tests.WebChat;

public sealed class OriginRulesTests
{
    [Theory]
    [InlineData("example.com", "https://example.com", true)]
    [InlineData("example.com", "http://example.com:8080", true)]
    [InlineData("example.com", "https://www.example.com", false)]
    [InlineData("example.com", "https://example.com.evil.test", false)]
    [InlineData("example.com", "https://evilexample.com", false)]
    [InlineData("*.example.com", "https://shop.example.com", true)]
    [InlineData("*.example.com", "https://a.b.example.com", true)]
    [InlineData("*.example.com", "https://example.com", false)]
    [InlineData("*.example.com", "https://badexample.com", false)]
    [InlineData("example.com:8443", "https://example.com:8443", true)]
    [InlineData("example.com:8443", "https://example.com", false)]
    [InlineData("https://Example.com/path", "https://example.com", true)]
    [InlineData("bücher.example", "https://xn--bcher-kva.example", true)]
    [InlineData("localhost", "http://localhost:3000", true)]
    [InlineData("example.com", "null", false)]
    [InlineData("example.com", "file://example.com", false)]
    [InlineData("example.com", null, true)]
    [InlineData("not a host", "https://example.com", false)]
    [InlineData("example.com:99999", "https://example.com", false)]
    public void An_entry_allows_its_own_hosts_and_no_other(string entry, string? origin, bool isAllowed) =>
        Assert.Equal(isAllowed, new OriginRules([entry]).Allows(origin));

    [Theory]
    [InlineData()]
    [InlineData("*")]
    [InlineData(" ")]
    public void Without_entries_every_site_is_allowed(params string[] entries)
    {
        var rules = new OriginRules(entries);

        Assert.True(rules.Allows("https://anywhere.test"));
        Assert.Equal("*", rules.FrameAncestors);
    }

    [Fact]
    public void The_installations_own_pages_are_always_allowed()
    {
        var rules = new OriginRules(["example.com"]);

        Assert.True(rules.Allows("http://127.0.0.1:8080", "127.0.0.1:8080", null));
        Assert.False(rules.Allows("http://127.0.0.1:8081", "127.0.0.1:8080", null));
    }

    [Fact]
    public void Frames_follow_the_same_rules() =>
        Assert.Equal("'self' example.com:* *.shop.test:* localhost:3000", new OriginRules(["example.com", "*.shop.test", "localhost:3000", "bad host;script-src *"]).FrameAncestors);
}
