using System.Globalization;
using System.Text.RegularExpressions;
using AgentPlatform.Api.Auth;
using AgentPlatform.Data.Connections;
using Npgsql;

namespace AgentPlatform.Silo.Demo;

/// <summary>
/// The demo organization "Soul KG", a tour operator in Kyrgyzstan: people, products, tours, partners, clients with their conversations, and an
/// agent with a knowledge base behind a web channel. All names, numbers and texts are invented for this demo.
/// </summary>
public sealed partial class DemoData(EngineDataSource database, DemoOptions options, Passwords passwords, TimeProvider clock, ILogger<DemoData> logger)
{
    /// <summary>
    /// Loads the demo in one transaction if the database holds no organization; otherwise changes at most the demo's sign-in.
    /// Any number of processes may call it at once. Returns true when the demo is there, loaded now or before.
    /// </summary>
    public async Task<bool> EnsureLoaded(CancellationToken cancellationToken)
    {
        if (!options.IsWanted)
        {
            return false;
        }
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var check = new NpgsqlCommand("select pg_advisory_xact_lock(hashtext('agentplatform demo'))", connection, transaction);
        await check.ExecuteNonQueryAsync(cancellationToken);
        check.CommandText = "select count(*), count(*) filter (where id = $1) from organizations";
        check.Parameters.Add(new() { Value = DemoIds.Organization });
        long organizations, demos;
        await using (var reader = await check.ExecuteReaderAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            (organizations, demos) = (reader.GetInt64(0), reader.GetInt64(1));
        }
        if (organizations > 0)
        {
            if (demos > 0)
            {
                await SetSignIn(connection, transaction, cancellationToken);
                await transaction.CommitAsync(cancellationToken);
            }
            return demos > 0;
        }

        await using var batch = new NpgsqlBatch(connection, transaction);
        var counts = Compose(new DemoRows(batch), passwords.Hash(options.AdminPassword));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        LogLoaded(logger, counts.Clients, counts.Articles, options.AdminEmail);
        return true;
    }

    private async Task SetSignIn(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("update users set email = $2, password_hash = $3 where id = $1", connection, transaction)
        {
            Parameters = { new() { Value = DemoIds.Of("user/admin") }, new() { Value = options.AdminEmail }, new() { Value = passwords.Hash(options.AdminPassword) } },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private (int Clients, int Articles) Compose(DemoRows rows, string passwordHash)
    {
        var now = clock.GetUtcNow();
        var clients = DemoClient.ReadAll();
        var crm = DemoCrm.Read();
        var catalogue = DemoCatalogue.Read().With(clients);
        var tours = DemoCalendar.Plan(now, catalogue);

        rows.AddPeople(options.AdminEmail, passwordHash, now);
        rows.AddAgentAndChannels();
        rows.AddBilling(now);
        rows.AddCatalogue(catalogue, tours);
        var articles = DemoArticle.ReadAll().Concat(DemoArticle.Departures(now, tours)).ToList();
        rows.AddArticles(articles);

        var english = CultureInfo.GetCultureInfo("en-GB");
        string Fill(string text) => Placeholder().Replace(text, match =>
        {
            var (tour, _, start) = tours.Single(candidate => candidate.Tour.Key == match.Groups[2].Value);
            return match.Groups[1].Value == "date" ? DemoArticle.Day(start, english) : (tour.Max - tour.Booked).ToString(english);
        });
        rows.AddTags(crm.Tags);
        foreach (var client in clients)
        {
            rows.AddClient(client, now, Fill);
        }
        rows.CompleteTours(catalogue);
        rows.AddCrm(crm, catalogue, now);
        rows.RefreshAnalytics();
        return (clients.Length, articles.Count);
    }

    [GeneratedRegex(@"\{(date|free):([a-z0-9-]+)\}")]
    private static partial Regex Placeholder();

    [LoggerMessage(5101, LogLevel.Information, "Loaded the demo organization Soul KG: {Clients} clients, {Articles} articles, sign-in {Email}")]
    private static partial void LogLoaded(ILogger logger, int clients, int articles, string email);
}
