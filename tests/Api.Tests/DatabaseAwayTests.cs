using System.Net;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Migrations;
using AgentPlatform.Fakes.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentPlatform.Api.Tests;

public sealed class DatabaseAwayTests
{
    [Fact]
    public async Task While_the_database_is_away_the_answer_is_503_and_afterwards_all_goes_on()
    {
        await using var server = await PostgresServer.StartNewAsync();
        var app = new ServerApp(server);
        await app.InitializeAsync();
        try
        {
            var organization = await app.NewOrganization();
            var persona = await organization.Create("personas", new { name = "Ana" });
            await server.CrashAsync();
            foreach (var answer in new[]
            {
                await organization.Owner.GetAsync("/v1/personas"),
                await organization.Owner.Patch($"/v1/personas/{persona.Id()}", new { name = "Eva" }, "\"1\""),
                await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, TestOrganization.Password),
            })
            {
                await answer.Problem(ProblemType.Unavailable);
                Assert.True(answer.Headers.RetryAfter!.Delta > TimeSpan.Zero);
            }
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await app.Anonymous.GetAsync("/health/ready")).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await app.Anonymous.GetAsync("/health/live")).StatusCode);

            await server.StartAsync();
            await Eventually.Holds(async () => (await organization.Owner.GetAsync("/v1/personas")).IsSuccessStatusCode);
            await (await organization.Owner.Patch($"/v1/personas/{persona.Id()}", new { name = "Eva" }, "\"1\"")).Json();
        }
        finally
        {
            await app.DisposeAsync();
        }
    }

    /// <summary>The API on a server that a test may stop.</summary>
    private sealed class ServerApp(PostgresServer server) : ApiApp
    {
        public override string DatabaseUrl => DataOptions.From(server.Url).AdminConnectionString;

        protected override async Task OpenDatabase() => await new Migrator(DataOptions.From(server.Url), NullLogger<Migrator>.Instance).MigrateAsync();

        protected override Task CloseDatabase() => Task.CompletedTask;
    }
}
