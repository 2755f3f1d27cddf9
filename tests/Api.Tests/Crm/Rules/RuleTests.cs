namespace AgentPlatform.Api.Tests.Crm.Rules;

/// <summary>Each rule of the CRM, tried in each way in which a value gets in.</summary>
public sealed class RuleTests(RuleApp app) : IClassFixture<RuleApp>
{
    private static readonly RuleCase[] Rules = [.. TourRules.All, .. DealRules.All, .. OrderRules.All, .. ClientRules.All, .. WorkRules.All];

    public static TheoryData<string, Way> Attempts()
    {
        var attempts = new TheoryData<string, Way>();
        foreach (var rule in Rules)
        {
            foreach (var way in rule.Ways())
            {
                attempts.Add(rule.Rule, way);
            }
        }
        return attempts;
    }

    [Theory]
    [MemberData(nameof(Attempts))]
    public async Task A_rule_holds_whichever_way_a_value_comes_in(string name, Way way)
    {
        var rule = Rules.Single(known => known.Rule == name);
        var world = await app.World();
        var scene = new Scene();
        await rule.Arrange(world, scene);
        await new RuleAttempt(world, rule, scene).Try(way);
    }

    [Fact]
    public void Each_rule_is_tried_by_request_and_by_sql_and_each_way_by_many_rules()
    {
        Assert.All(Rules, rule => Assert.Contains(rule.Ways(), way => way is Way.Post or Way.Patch or Way.Action));
        Assert.All(Rules.Where(rule => rule.HoldsInSql), rule => Assert.Contains(rule.Ways(), way => way is Way.SqlInsert or Way.SqlUpdate));
        Assert.All(Enum.GetValues<Way>(), way => Assert.True(Rules.Count(rule => rule.Ways().Contains(way)) >= 10, $"{way}"));
    }
}
