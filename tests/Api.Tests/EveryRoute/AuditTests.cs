using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;
using Npgsql;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>Every route of the document that changes something leaves a row in the activity log: who, what, and from where.</summary>
public sealed class AuditTests(EngineApp app, ITestOutputHelper output) : IClassFixture<EngineApp>
{
    private const string UserAgent = "audit-test/1.0";

    /// <summary>Routes that answer with success and change nothing that the organization would ask about, each with its reason.</summary>
    private static readonly Dictionary<string, string> Unlogged = new(StringComparer.Ordinal)
    {
        ["markNotificationRead"] = "what one person has read is that person's own",
        ["markAllNotificationsRead"] = "what one person has read is that person's own",
        ["countKnowledgeArticleView"] = "counting is no change: the article and its version stay",
        ["switchOrganization"] = "opens a session: sessions have a list of their own",
        ["createOrganization"] = "is logged in the organization that it makes",
        ["logout"] = "ends a session: sessions have a list of their own",
    };

    /// <summary>They end the caller's own access: tried last, each by somebody of its own.</summary>
    private static readonly string[] Farewells = ["leaveOrganization"];

    [Fact]
    public async Task Every_change_says_who_made_it_and_from_where()
    {
        var document = await ApiDescription.Read(app);
        var (changed, silent, refused) = (0, new List<string>(), new List<string>());
        var populated = await PopulatedOrganization.Create(app);
        foreach (var (_, operation) in document.Operations.Index()
            .Where(entry => entry.Item.Method != "GET" && entry.Item.NeedsSignIn && !Unlogged.ContainsKey(entry.Item.Id) && !Farewells.Contains(entry.Item.Id))
            .OrderBy(entry => Turn(entry.Item)).ThenBy(entry => entry.Item.Method == "DELETE" ? -entry.Index : entry.Index))
        {
            var before = await Rows(populated.Organization.Id);
            var (status, text) = await Send(populated, operation);
            if (status is < 200 or >= 300)
            {
                refused.Add($"{operation} {status} {text[..Math.Min(200, text.Length)]}");
                continue;
            }
            changed++;
            var rows = (await Rows(populated.Organization.Id)).Except(before).ToArray();
            if (!rows.Any(row => row.UserId == populated.Organization.OwnerId && row.HasAddress && row.UserAgent == UserAgent))
            {
                silent.Add($"{operation} ({string.Join(", ", rows.Select(row => row.Action))})");
            }
        }
        output.WriteLine($"{changed} routes changed something; refused: {Environment.NewLine}{string.Join(Environment.NewLine, refused)}");
        Assert.True(silent.Count == 0, $"No activity log of: {string.Join(Environment.NewLine, silent)}");
        Assert.True(changed > 60, $"Only {changed} routes changed something.");
    }

    [Fact]
    public async Task Leaving_is_logged_for_those_who_stay()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Api.Auth.Role.Member);
        var member = await organization.SignIn(email);
        member.DefaultRequestHeaders.UserAgent.ParseAdd(UserAgent);
        (await member.PostAsync("/v1/organization/leave", null)).EnsureSuccessStatusCode();
        Assert.Contains(await Rows(organization.Id), row => row.Action == "member.left" && row.UserId == id && row.UserAgent == UserAgent && row.HasAddress);
    }

    /// <summary>First what others would leave nothing to do for, then all, then deletions (what is declared later refers to what is declared before), then what takes the caller's power.</summary>
    private static int Turn(ApiOperation operation) => operation switch
    {
        { Id: "readConversation" or "endSession" } => 0,
        { Id: "transferOwnership" } => 3,
        { Method: "DELETE" } => 2,
        _ => 1,
    };

    private async Task<(int Status, string Text)> Send(PopulatedOrganization populated, ApiOperation operation)
    {
        using var request = new HttpRequestMessage(new HttpMethod(operation.Method), populated.Path(operation));
        if (populated.Body(operation) is { } body)
        {
            foreach (var (name, value) in Unusual(operation))
            {
                body[name] = value;
            }
            request.Content = JsonContent.Create(body);
        }
        if (operation.Parameters("header").Contains("If-Match"))
        {
            request.Headers.TryAddWithoutValidation("If-Match", "*");
        }
        request.Headers.UserAgent.ParseAdd(UserAgent);
        using var answer = await populated.Organization.Owner.SendAsync(request);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>What an example in the documentation can't know.</summary>
    private static IEnumerable<(string Name, JsonNode Value)> Unusual(ApiOperation operation) => operation.Id switch
    {
        // The example switches on what is on.
        "switchConversationAi" => [("enabled", false)],
        "transferOwnership" => [("password", TestOrganization.Password)],
        "changePassword" => [("currentPassword", TestOrganization.Password), ("newPassword", TestOrganization.Password)],
        _ => [],
    };

    private async Task<List<LogRow>> Rows(Guid organizationId)
    {
        await using var connection = new NpgsqlConnection(app.Database.AdminConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT id, user_id, action_type, ip_address IS NOT NULL, user_agent FROM activity_logs WHERE organization_id = $1", connection)
        {
            Parameters = { new() { Value = organizationId } },
        };
        await using var row = await command.ExecuteReaderAsync();
        var rows = new List<LogRow>();
        while (await row.ReadAsync())
        {
            rows.Add(new(row.GetGuid(0), row.IsDBNull(1) ? null : row.GetGuid(1), row.GetString(2), row.GetBoolean(3), row.IsDBNull(4) ? null : row.GetString(4)));
        }
        return rows;
    }

    private sealed record LogRow(Guid Id, Guid? UserId, string Action, bool HasAddress, string? UserAgent);
}
