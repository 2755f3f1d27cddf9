using AgentPlatform.Api.Tests.TestApp;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>
/// Every route of the document on tables that are full, and the plan of every query that follows from it: the route's own, those of triggers, references and functions, and
/// what the engine does on its behalf. None may read a large table but by an index.
/// </summary>
public sealed class PlanTests(PlanApp app, ITestOutputHelper output) : IClassFixture<PlanApp>
{
    [Fact]
    public async Task No_query_reads_a_large_table_without_an_index()
    {
        var populated = await PopulatedOrganization.Create(app);
        var requests = await EveryRequest.Of(app, populated);
        await FilledDatabase.Fill(app, populated.Organization);
        var document = await ApiDescription.Read(app);
        // They leave the first rows of two tables that nothing else fills.
        foreach (var operation in document.Operations.Where(operation => operation.Id is "setNotificationPreference" or "createTag"))
        {
            Assert.True((await requests.Send(operation, PlanApp.Agent(operation.Id))).IsSuccess);
        }
        await FilledDatabase.Copy(app);
        var rules = await PlanRules.Read(app.Database.DataOptions);
        output.WriteLine($"Not filled: {string.Join(", ", rules.Tables.Where(table => table.Value < PlanRules.Large).Select(table => table.Key))}");
        app.TakePlans();

        var refused = new List<string>();
        var complaints = new Dictionary<string, string>(StringComparer.Ordinal);
        var plans = new Dictionary<string, int>(StringComparer.Ordinal);
        var count = 0;
        foreach (var operation in EveryRequest.InOrder(document))
        {
            plans[operation.Id] = 0;
            foreach (var query in Queries(operation))
            {
                var outcome = await requests.Send(operation, PlanApp.Agent(operation.Id), query);
                count++;
                if (!outcome.IsSuccess)
                {
                    refused.Add($"{operation}{query} {outcome.Status} {outcome.Text}");
                }
            }
            foreach (var plan in app.TakePlans())
            {
                plans[operation.Id] += plan.Route == operation.Id ? 1 : 0;
                foreach (var complaint in rules.Complaints(plan))
                {
                    complaints.TryAdd($"{complaint}: {plan.Query[..Math.Min(1600, plan.Query.Length)]}", $"{plan.Route ?? "beside"} {operation}");
                }
            }
        }
        output.WriteLine($"{plans.Count} routes, {count} requests, {plans.Values.Sum()} plans");
        Assert.True(refused.Count == 0, $"Say in EveryRequest what these need to succeed: {string.Join(Environment.NewLine, refused)}");
        Assert.Equal(document.Operations.Count, plans.Count);
        Assert.True(plans.Values.All(seen => seen > 0), $"No plan was seen of: {string.Join(", ", plans.Where(route => route.Value == 0).Select(route => route.Key))}");
        Assert.True(complaints.Count == 0, string.Join(Environment.NewLine, complaints.Select(complaint => $"{complaint.Value}: {complaint.Key}")));
    }

    /// <summary>Lists by each sort and filter; deletions told first.</summary>
    private static IEnumerable<string> Queries(ApiOperation operation)
    {
        var parameters = operation.Parameters("query").ToHashSet();
        return operation.Method == "GET" && parameters.Contains("limit") ? ListQueries.Of(operation).Select(query => $"?{query}")
            : parameters.Contains("dryRun") ? ["?dryRun=true", ""]
            : [""];
    }
}
