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
        ["login"] = "opens a session: sessions have a list of their own",
        ["refresh"] = "prolongs a session: sessions have a list of their own",
        ["logout"] = "ends a session: sessions have a list of their own",
        ["forgotPassword"] = "anybody may ask, and the answer is always the same",
        ["readInvitationLink"] = "reads",
        ["createVisitor"] = "gives a token, and keeps nothing",
        ["sendVisitorMessage"] = "customers write messages, which are kept themselves",
    };

    [Fact]
    public async Task Every_change_says_who_made_it_and_from_where()
    {
        var populated = await PopulatedOrganization.Create(app);
        var requests = await EveryRequest.Of(app, populated);
        var (changed, silent, refused) = (0, new List<string>(), new List<string>());
        foreach (var operation in EveryRequest.InOrder(await ApiDescription.Read(app)).Where(operation => operation.Method != "GET" && !Unlogged.ContainsKey(operation.Id)))
        {
            var before = await Rows();
            var outcome = await requests.Send(operation, UserAgent);
            if (!outcome.IsSuccess)
            {
                refused.Add($"{operation} {outcome.Status} {outcome.Text[..Math.Min(200, outcome.Text.Length)]}");
                continue;
            }
            changed++;
            var rows = (await Rows()).Except(before).ToArray();
            if (!rows.Any(row => (operation.NeedsSignIn ? row.UserId == outcome.UserId : row.UserId is not null) && row.HasAddress && row.UserAgent == UserAgent))
            {
                silent.Add($"{operation} ({string.Join(", ", rows.Select(row => row.Action))})");
            }
        }
        output.WriteLine($"{changed} routes changed something");
        Assert.True(refused.Count == 0, $"Say in EveryRequest what these need to succeed: {string.Join(Environment.NewLine, refused)}");
        Assert.True(silent.Count == 0, $"No activity log of: {string.Join(Environment.NewLine, silent)}");
        Assert.True(changed > 200, $"Only {changed} routes changed something.");
    }

    private async Task<List<LogRow>> Rows()
    {
        await using var connection = new NpgsqlConnection(app.Database.AdminConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT id, user_id, action_type, ip_address IS NOT NULL, user_agent FROM activity_logs", connection);
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
