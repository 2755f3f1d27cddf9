using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using Npgsql;

namespace AgentPlatform.Api.Tests.Automation;

public sealed class ExperimentTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task An_experiment_runs_once_it_has_variants_whose_weights_sum_up()
    {
        var organization = await app.NewOrganization();
        var experiment = await Draft(organization);
        await Refused(organization, experiment, "active");
        await AddVariant(organization, experiment, "A", 60);
        await Refused(organization, experiment, "active");
        var second = await AddVariant(organization, experiment, "B", 30);
        await Refused(organization, experiment, "active");
        await (await organization.Owner.Patch($"/v1/experiment-variants/{second}", new { weight = 40 }, "*")).Json();

        var running = await (await organization.Owner.Patch($"/v1/experiments/{experiment}", new { status = "active" }, "*")).Json();
        Assert.NotNull(running["startDate"]);
        Assert.Equal(2, running["variantCount"]!.GetValue<int>());
        await (await organization.Owner.Patch($"/v1/experiment-variants/{second}", new { weight = 30 }, "*")).Problem(ProblemType.Conflict);
        await (await organization.Owner.DeleteAsync($"/v1/experiment-variants/{second}")).Problem(ProblemType.Conflict);
    }

    [Fact]
    public async Task An_experiment_goes_through_its_states_in_order()
    {
        var organization = await app.NewOrganization();
        var experiment = await Draft(organization);
        await AddVariant(organization, experiment, "A", 50);
        await AddVariant(organization, experiment, "B", 50);
        await Refused(organization, experiment, "paused");
        await Refused(organization, experiment, "completed");
        foreach (var status in new[] { "active", "paused", "active", "completed" })
        {
            await (await organization.Owner.Patch($"/v1/experiments/{experiment}", new { status }, "*")).Json();
        }
        Assert.NotNull((await (await organization.Owner.GetAsync($"/v1/experiments/{experiment}")).Json())["endDate"]);
        foreach (var status in new[] { "draft", "active", "paused", "cancelled" })
        {
            await Refused(organization, experiment, status);
        }
    }

    [Fact]
    public async Task Of_each_type_of_agent_one_experiment_runs_at_a_time()
    {
        var organization = await app.NewOrganization();
        var experiments = new List<Guid>();
        for (var number = 0; number < 4; number++)
        {
            var experiment = await Draft(organization);
            await AddVariant(organization, experiment, $"A{number}", 50);
            await AddVariant(organization, experiment, $"B{number}", 50);
            experiments.Add(experiment);
        }
        var answers = await Task.WhenAll(experiments.Select(id => organization.Owner.Patch($"/v1/experiments/{id}", new { status = "active" }, "*")));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.Equal(3, answers.Count(answer => answer.StatusCode == HttpStatusCode.Conflict));
    }

    [Fact]
    public async Task A_variant_fits_its_experiment_and_stays_as_long_as_it_is_named()
    {
        var organization = await app.NewOrganization();
        var experiment = await Draft(organization);
        var service = (await organization.Create("prompt-variants", new { agentType = "service", name = "S", prompt = "Serve." })).Id();
        var refused = await organization.Owner.PostAsJsonAsync("/v1/experiment-variants", new { experimentId = experiment, promptVariantId = service, weight = 50 });
        Assert.Equal(["/promptVariantId"], (await refused.Problem(ProblemType.Validation)).Fields());

        var sales = (await organization.Create("prompt-variants", new { agentType = "sales", name = "A", prompt = "Sell." })).Id();
        await organization.Create("experiment-variants", new { experimentId = experiment, promptVariantId = sales, weight = 50 });
        Assert.Equal(["/promptVariantId"], (await (await organization.Owner.PostAsJsonAsync("/v1/experiment-variants", new { experimentId = experiment, promptVariantId = sales, weight = 50 })).Problem(ProblemType.Conflict)).Fields());
        await (await organization.Owner.DeleteAsync($"/v1/prompt-variants/{sales}")).Problem(ProblemType.Conflict);
    }

    [Fact]
    public async Task An_organization_goes_with_its_experiments()
    {
        var organization = await app.NewOrganization();
        var experiment = await Draft(organization);
        await AddVariant(organization, experiment, "A", 50);
        await AddVariant(organization, experiment, "B", 50);
        await (await organization.Owner.Patch($"/v1/experiments/{experiment}", new { status = "active" }, "*")).Json();
        await organization.Execute("DELETE FROM organizations WHERE id = $1", organization.Id);
        Assert.Equal(0L, await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM experiment_variants WHERE organization_id = '{organization.Id}'"));
    }

    [Fact]
    public async Task Two_default_variants_of_a_type_can_not_be()
    {
        var organization = await app.NewOrganization();
        await organization.Create("prompt-variants", new { agentType = "sales", name = "A", prompt = "Sell.", isDefault = true });
        var failure = await Assert.ThrowsAsync<PostgresException>(() => organization.Execute(
            "INSERT INTO prompt_variants (organization_id, agent_type, name, prompt, is_default) VALUES ($1, 'sales', 'B', 'Sell.', true)", organization.Id));
        Assert.Equal("prompt_variants_one_default_per_agent_type", failure.ConstraintName);
    }

    private static async Task<Guid> Draft(TestOrganization organization) => (await organization.Create("experiments", new { agentType = "sales", name = "Short or long" })).Id();

    private static async Task<Guid> AddVariant(TestOrganization organization, Guid experiment, string name, int weight)
    {
        var variant = (await organization.Create("prompt-variants", new { agentType = "sales", name, prompt = "Sell." })).Id();
        return (await organization.Create("experiment-variants", new { experimentId = experiment, promptVariantId = variant, weight })).Id();
    }

    private static async Task Refused(TestOrganization organization, Guid experiment, string status) =>
        Assert.Equal(["/status"], (await (await organization.Owner.Patch($"/v1/experiments/{experiment}", new { status }, "*")).Problem(ProblemType.Conflict)).Fields());
}
