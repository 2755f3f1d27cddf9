using AgentPlatform.Api.Tests.EveryRoute;
using AgentPlatform.Api.Tests.Jobs;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Data.Connections;
using AgentPlatform.Grains;
using AgentPlatform.Silo.Demo;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.EnginePlans;

/// <summary>
/// Everything that the engine does, on tables that are full, and the plan of every statement that follows from it: none may read a large table, or all that a large organization
/// has, for a few rows. Once with plans made for any values on tables that nobody has counted, as after a great import; once with plans for the values given, on counted ones.
/// A statement that stands in the code and that nothing here sets off fails by name. What requests ask is held by <see cref="PlanTests"/>.
/// </summary>
public sealed class EnginePlanTests(EnginePlanApp app, ITestOutputHelper output) : IClassFixture<EnginePlanApp>
{
    /// <summary>Writes into an empty database, once.</summary>
    private static readonly string[] NotOfTheEngine = [nameof(DemoData), "DemoRows"];

    [Fact]
    public async Task No_statement_of_the_engine_reads_more_than_it_needs()
    {
        var (large, agents) = await FillLarge();
        var (first, second) = (await NewSmall(), await NewSmall());
        var rules = await PlanRules.Read(app.Database.DataOptions);
        await app.ForgetCounts();
        var uncounted = await Plans("force_generic_plan", new EngineFlows(app, large, first, agents));
        await app.Database.ExecuteAsAdminAsync("ANALYZE");
        var counted = await Plans("auto", new EngineFlows(app, large, second, agents));

        var complaints = uncounted.Select(plan => (Plan: plan, When: "not counted")).Concat(counted.Select(plan => (Plan: plan, When: "counted")))
            .SelectMany(entry => rules.Complaints(entry.Plan).Select(complaint => $"{entry.When}: {complaint}: {entry.Plan.Query[..Math.Min(200, entry.Plan.Query.Length)]}")).Distinct().ToArray();
        Assert.True(complaints.Length == 0, string.Join(Environment.NewLine, complaints));

        var statements = SourceStatements.Of(typeof(EngineDataSource).Assembly, typeof(EngineServices).Assembly, typeof(DemoData).Assembly)
            .Where(statement => !NotOfTheEngine.Contains(statement.Value)).ToArray();
        output.WriteLine($"{statements.Length} statements, {uncounted.Length} and {counted.Length} plans");
        Assert.True(statements.Length > 100, $"only {statements.Length} statements were found in the code");
        // Some are sent once in a while only, whatever happens: a warning that was given is not given again.
        var sent = uncounted.Concat(counted).Select(plan => plan.Query).Distinct().ToArray();
        var unseen = statements.Where(statement => !Array.Exists(sent, query => query.Contains(statement.Key, StringComparison.Ordinal))).ToArray();
        Assert.True(unseen.Length == 0, $"Say in EngineFlows what sets these off: {string.Join(Environment.NewLine, unseen.Select(statement => $"{statement.Value}: {statement.Key}"))}");
    }

    /// <summary>What the server tells of all that the engine does meanwhile.</summary>
    private async Task<QueryPlan[]> Plans(string mode, EngineFlows flows)
    {
        await app.Plan(mode);
        app.TakePlans();
        await flows.Run();
        return app.TakePlans();
    }

    /// <summary>An organization that has one of everything, and of what grows with use very many, beside a database full of others.</summary>
    private async Task<(TestOrganization Organization, (Guid Asking, Guid BuiltIn) Agents)> FillLarge()
    {
        var populated = await PopulatedOrganization.Create(app);
        var large = populated.Organization;
        await large.Execute("UPDATE users SET is_super_admin = true WHERE id = $1", large.OwnerId);
        var agents = await EngineFlows.AddAgents(app, large);
        await FilledDatabase.FillOne(app, large, FilledDatabase.Rows);
        // That key leads nowhere, and without vectors copies of articles and chunks would be work for an hour.
        (await large.Owner.DeleteAsync($"/v1/llm-credentials/{populated.Ids["llm-credentials"]}")).EnsureSuccessStatusCode();
        await large.Create("knowledge-articles", new { title = "Tents", content = "Twelve tents." });
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<long>(
            "SELECT (SELECT count(*) FROM knowledge_articles WHERE indexed_version IS NULL) + (SELECT count(*) FROM knowledge_chunks WHERE embedding IS NULL)") == 0);
        await FilledDatabase.Copy(app);
        foreach (var table in new[] { "llm_credentials", "knowledge_settings" })
        {
            // After an import, the knowledge of whoever has these is looked at again: two organizations' are enough.
            await app.Database.ExecuteAsAdminAsync($"DELETE FROM {table} t WHERE NOT EXISTS (SELECT FROM organizations o WHERE o.id = t.organization_id)");
        }
        foreach (var table in new[]
        {
            "notifications", "outgoing_emails", "jobs", "files", "idempotency_keys", "agent_memories", "call_recordings", "workflow_executions", "client_products", "client_tours",
        })
        {
            await app.Database.ExecuteAsAdminAsync($"SET session_replication_role = replica; UPDATE {table} SET organization_id = '{large.Id}'");
        }
        await app.Database.ExecuteAsAdminAsync("ANALYZE");
        return (large, agents);
    }

    /// <summary>An organization that has a little of much, and can leave.</summary>
    private async Task<TestOrganization> NewSmall()
    {
        var (organization, _, _) = await FullOrganization.Create(app);
        await FilledDatabase.FillOne(app, organization, FilledDatabase.Rows / 100);
        return organization;
    }
}
