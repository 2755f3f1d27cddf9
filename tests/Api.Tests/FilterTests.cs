using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.Jobs;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests;

/// <summary>Whatever a text may be can be asked for, and finds nothing else.</summary>
public sealed class FilterTests(JobApp app) : IClassFixture<JobApp>
{
    private static readonly string[] Values =
    [
        "Trade fair, Berlin", "Trade fair", " Berlin", "none", "null", "\"quoted\"", "\"a\",\"b\"", "back\\slash", "a\\,b", "a,,b", ",", "100%", "a%2Cb", "a&b=c", "a+b", "a b", "'", "''", "{}", "[]", "*", "?", "#", ";",
        "Müller, Söhne", "東京、大阪", "x|y", "$1", "{0}", "true", "0",
    ];

    [Fact]
    public async Task Every_value_of_a_text_can_be_asked_for_alone_and_with_others()
    {
        var organization = await app.NewOrganization();
        foreach (var value in Values)
        {
            await organization.Create("clients", new { firstName = "x", source = value, tags = new[] { value } });
        }
        await organization.Create("clients", new { firstName = "without" });
        foreach (var value in Values)
        {
            var same = value.Trim();
            Assert.Equal([same], (await Find(organization, $"source={Uri.EscapeDataString(value)}", "source")).Select(found => found.Trim()));
            Assert.Single(await Find(organization, $"tags={Uri.EscapeDataString(value)}", "firstName"));
        }
        foreach (var (one, other) in Values.Zip(Values.Skip(1)))
        {
            Assert.Equal(2, (await Find(organization, $"source={Uri.EscapeDataString(one)}&source={Uri.EscapeDataString(other)}", "source")).Length);
            Assert.Equal(2, (await Find(organization, $"tags={Uri.EscapeDataString(one)}&tags={Uri.EscapeDataString(other)}", "source")).Length);
        }
        Assert.Equal(["without"], await Find(organization, "source=", "firstName"));
        Assert.Equal(["without"], await Find(organization, "tags=", "firstName"));
        Assert.Equal(["without", "x"], (await Find(organization, "source=&source=none", "firstName")).Order(StringComparer.Ordinal));
        Assert.Empty(await Find(organization, "source=Trade fair,Berlin", "source"));
    }

    [Fact]
    public async Task An_export_takes_the_same_values()
    {
        var organization = await app.NewOrganization();
        foreach (var value in new[] { "Trade fair, Berlin", "Trade fair", "none", "" })
        {
            await organization.Create("clients", new { firstName = $"[{value}]", source = value.Length == 0 ? null : value });
        }
        async Task<string[]> Export(object source)
        {
            var job = await organization.Owner.Job("/v1/jobs/exports", new { resource = "clients", format = "jsonl", filters = new { source, sort = "firstName" } });
            return [.. Encoding.UTF8.GetString(await organization.Owner.Download(job)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!["firstName"]!.GetValue<string>()).Order(StringComparer.Ordinal)];
        }
        Assert.Equal(["[Trade fair, Berlin]"], await Export("Trade fair, Berlin"));
        Assert.Equal(["[none]"], await Export("none"));
        Assert.Equal(["[]"], await Export(""));
        Assert.Equal(["[Trade fair, Berlin]", "[]"], await Export(new[] { "Trade fair, Berlin", "" }));
    }

    [Fact]
    public async Task What_can_hold_no_comma_may_be_joined_by_commas_or_repeated()
    {
        var organization = await app.NewOrganization();
        await organization.Create("clients", new { firstName = "a", status = "qualified", leadQuality = "hot" });
        await organization.Create("clients", new { firstName = "b", status = "sold" });
        Assert.Equal(2, (await Find(organization, "status=qualified,sold", "firstName")).Length);
        Assert.Equal(2, (await Find(organization, "status=qualified&status=sold", "firstName")).Length);
        Assert.Equal(["b"], await Find(organization, "leadQuality=none", "firstName"));
        Assert.Equal(2, (await Find(organization, "leadQuality=none,hot", "firstName")).Length);
        var many = string.Join('&', Enumerable.Range(0, Operations.QueryParameter.MaxValues + 1).Select(number => $"source=s{number}"));
        var problem = await (await organization.Owner.GetAsync($"/v1/clients?{many}&sort=createdAt&sort=firstName&q=a&q=b")).Problem(ProblemType.Validation);
        Assert.Equal(["q", "sort", "source"], problem.Fields().Order(StringComparer.Ordinal));
    }

    private static async Task<string[]> Find(TestOrganization organization, string query, string field) =>
        [.. (await (await organization.Owner.GetAsync($"/v1/clients?limit=200&{query}")).Json()).Items().Select(item => item[field]?.GetValue<string>() ?? "")];
}
