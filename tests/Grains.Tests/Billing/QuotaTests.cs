using AgentPlatform.Conversations;
using AgentPlatform.Data.Changes;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Fakes.Time;
using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit.Abstractions;
using static AgentPlatform.Grains.Tests.Conversations.Samples;

namespace AgentPlatform.Grains.Tests.Billing;

/// <summary>What a plan's limits do to conversations, in a silo on a real database. The model of these tests uses 12 tokens an answer.</summary>
public sealed class QuotaTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Waiting = "SELECT count(*) FROM conversations WHERE status = 'escalated' AND managed_by = 'ai'";
    private const string Sent = "SELECT count(*) FROM messages WHERE sender_type = 'ai' AND status = 'sent'";
    private TestDatabase _database = null!;
    private TestSilo? _silo;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync();

    public async Task DisposeAsync()
    {
        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task At_the_quota_the_AI_stops_no_message_is_lost_and_after_an_upgrade_what_waited_is_answered()
    {
        var silo = await Start(tokens: 24);
        await Write("491", "wamid.1");
        await silo.Until<long>(Sent, static sent => sent == 1);
        Assert.Equal(0L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM usage_alerts"));
        await Write("491", "wamid.2");
        await silo.Until<long>(Sent, static sent => sent == 2);

        // 24 of 24: from here on nothing is answered, and everything is kept.
        await Write("491", "wamid.3");
        await Write("492", "wamid.4");
        await Write("492", "wamid.5");
        Assert.Equal(2L, await _database.ScalarAsAdminAsync<long>(Waiting));
        Assert.Equal(5L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM messages WHERE direction = 'inbound'"));
        Assert.Equal(2, silo.Model.Requests.Count);
        await silo.Until<string>("SELECT string_agg(kind || ' ' || level, ',') FROM usage_alerts", static told => told == "tokens limit");
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM activity_logs WHERE action_type = 'usage.limit'"));

        // A person answers one of them: that one is theirs.
        var taken = await silo.Conversation("491").Send(new SendMessage { MessageId = Guid.CreateVersion7(), Content = new OutgoingContent { Text = "I am here" }, Actor = new Actor { OrganizationId = Organization } });
        Assert.Equal(ManagedBy.Human, taken.Conversation!.ManagedBy);

        var upgraded = TimeProvider.System.GetTimestamp();
        await _database.ExecuteAsAdminAsync("UPDATE subscriptions SET token_quota = 1000");
        await silo.Until<long>(Sent, static sent => sent == 3);
        output.WriteLine($"answered {TimeProvider.System.GetElapsedTime(upgraded).TotalMilliseconds:0} ms after the upgrade");
        Assert.Equal("answer to 1-2", silo.Platform.Sent.Last().Content.Text);
        Assert.Equal(0L, await _database.ScalarAsAdminAsync<long>(Waiting));
        await AssertCounted();
    }

    [Fact]
    public async Task A_warning_is_told_once_at_80_percent_and_the_limit_once_at_100()
    {
        var silo = await Start(tokens: 60);
        await Answered(silo, 3);
        Assert.Equal(0L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM usage_alerts"));
        await Answered(silo, 1);
        await silo.Until<string>("SELECT string_agg(level || ' ' || used || ' of ' || quota, ',') FROM usage_alerts", static told => told == "warning 48 of 60");
        await Answered(silo, 1);
        await silo.Until<string>("SELECT string_agg(level || ' ' || used, ',' ORDER BY used) FROM usage_alerts", static told => told == "warning 48,limit 60");
        await Write("491", "wamid.last");
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>(Waiting));
        await AssertCounted();
    }

    [Fact]
    public async Task A_warning_does_not_wait_for_the_next_message_when_what_was_known_is_forgotten_meanwhile()
    {
        var silo = await Start(tokens: 60);
        await Answered(silo, 3);
        silo.Model.Answer = (request, _) =>
        {
            silo.Services.GetRequiredService<ConfigurationChanges>().Publish(new("subscriptions", Organization, null));
            return Task.FromResult(TestRunner.Say("the fourth"));
        };
        await Answered(silo, 1);
        await silo.Until<string>("SELECT string_agg(level || ' ' || used || ' of ' || quota, ',') FROM usage_alerts", static told => told == "warning 48 of 60");
    }

    [Fact]
    public async Task When_the_conversations_are_used_up_those_that_count_go_on_and_new_ones_wait()
    {
        var silo = await Start(conversations: 2);
        await Write("491", "wamid.1");
        await Write("492", "wamid.2");
        await silo.Until<long>(Sent, static sent => sent == 2);
        await Write("493", "wamid.3");
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>(Waiting));
        await Write("491", "wamid.4");
        await silo.Until<long>(Sent, static sent => sent == 3);
        Assert.Equal(2, await _database.ScalarAsAdminAsync<int>("SELECT conversations FROM usage_monthly"));
        Assert.False(await _database.ScalarAsAdminAsync<bool>($"SELECT check_usage_limit('{Organization}')"));
        await AssertCounted();
    }

    [Fact]
    public async Task A_customer_who_has_to_wait_is_told_once_where_the_organization_wants_it()
    {
        var silo = await Start(tokens: 0, more: "limit_response = 'message', limit_message = 'A person will answer you.'");
        await Write("491", "wamid.1");
        await Write("491", "wamid.2");
        await silo.Until<long>("SELECT count(*) FROM messages WHERE sender_type = 'system' AND status = 'sent'", static sent => sent == 1);
        Assert.Equal([(1L, "user"), (2L, "system"), (3L, "user")], (await silo.Messages("491")).Select(message => (message.Sequence, message.Sender)));
        Assert.Equal("A person will answer you.", Assert.Single(silo.Platform.Sent).Content.Text);
        Assert.Empty(silo.Model.Requests);
    }

    [Theory]
    [InlineData("unpaid")]
    [InlineData("paused")]
    [InlineData("canceled")]
    [InlineData("incomplete")]
    public async Task A_subscription_that_is_not_in_force_stops_the_AI_and_one_that_is_lets_it_go_on(string status)
    {
        var silo = await Start(tokens: null);
        await Answered(silo, 1);
        await _database.ExecuteAsAdminAsync($"UPDATE subscriptions SET status = '{status}'");
        await silo.Until<long>(Waiting, waiting => waiting == 1 || !WriteAgain());
        Assert.Equal(1, await _database.ScalarAsAdminAsync<int>("SELECT interactions FROM usage_monthly"));
        await _database.ExecuteAsAdminAsync("UPDATE subscriptions SET status = 'active'");
        await silo.Until<long>(Waiting, static waiting => waiting == 0);
        await silo.Until<long>(Sent, static sent => sent >= 2);

        bool WriteAgain() => Write("499", $"wamid.{Guid.NewGuid()}").Wait(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Past_due_the_AI_goes_on_until_the_time_of_grace_is_over()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 5, 20, 12, 0, 0, TimeSpan.Zero));
        var silo = await Start(more: "status = 'past_due', grace_ends_at = '2026-05-20 13:00Z'", clock: clock);
        await Answered(silo, 1);
        clock.Advance(TimeSpan.FromMinutes(59));
        await Answered(silo, 1);
        clock.Advance(TimeSpan.FromMinutes(1));
        await Write("491", "wamid.late");
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>(Waiting));
    }

    [Fact]
    public async Task With_a_new_month_the_quota_begins_again_and_usage_goes_to_the_new_day()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 5, 31, 23, 59, 0, TimeSpan.Zero));
        var silo = await Start(tokens: 24, conversations: 2, clock: clock);
        await Answered(silo, 2);
        await Write("491", "wamid.a");
        await Write("492", "wamid.b");
        Assert.Equal(2L, await _database.ScalarAsAdminAsync<long>(Waiting));

        clock.Advance(TimeSpan.FromMinutes(1));
        await Write("491", "wamid.c");
        await silo.Until<long>(Sent, static sent => sent == 4);
        Assert.Equal("2026-05-01 1 24,2026-06-01 2 24", await _database.ScalarAsAdminAsync<string>("SELECT string_agg(month || ' ' || conversations || ' ' || tokens_used, ',' ORDER BY month) FROM usage_monthly"));
        Assert.Equal("2026-05-31,2026-06-01", await _database.ScalarAsAdminAsync<string>("SELECT string_agg(usage_date::text, ',' ORDER BY usage_date) FROM usage_daily"));
        await AssertCounted();
    }

    [Fact]
    public async Task Counts_are_exact_under_repeats_restarts_failures_and_a_silo_that_goes_and_comes_back()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var life = 0; life < 3; life++)
        {
            var silo = _silo = await TestSilo.Start(_database);
            silo.Model.Answer = async (request, cancellationToken) =>
            {
                var dice = request.ConversationId.GetHashCode() ^ (int)request.LastSequence ^ seed;
                await Task.Delay(Math.Abs(dice % 7), cancellationToken);
                return (Math.Abs(dice) % 5) switch
                {
                    0 => new TurnResult { Outcome = "silent", Record = new TurnRecord { Responder = "model", InputTokens = 3, Error = "nothing to say" } },
                    1 => throw new InvalidOperationException("a defect"),
                    var more => TestRunner.Say("yes") with { Record = new TurnRecord { Responder = "model", InputTokens = more * 100, OutputTokens = Math.Abs(dice % 90) } },
                };
            };
            var deliveries = Enumerable.Range(0, 20).SelectMany(person => Enumerable.Range(0, 6).Select(i => (Person: $"49{person}", Id: $"wamid.{life}.{person}.{i}")))
                .SelectMany(message => Enumerable.Repeat(message, random.Next(1, 4))).ToArray();
            random.Shuffle(deliveries);
            await Parallel.ForEachAsync(deliveries, new ParallelOptions { MaxDegreeOfParallelism = 12 }, async (message, _) => await silo.Conversation(message.Person).Receive(TestSilo.From(message.Person, Text(message.Id))));
            if (life < 2)
            {
                // In the middle of whatever is under way; the next silo takes it up.
                await silo.DisposeAsync();
                _silo = null;
            }
        }
        await _silo!.Until<long>("SELECT count(*) FROM turns WHERE state IN ('settling', 'running')", static open => open == 0);
        Assert.Equal(360L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM messages WHERE direction = 'inbound'"));
        Assert.NotEqual(0L, await _database.ScalarAsAdminAsync<long>("SELECT sum(conversations) FROM usage_daily"));
        Assert.NotEqual(0m, await _database.ScalarAsAdminAsync<decimal>("SELECT sum(tokens_consumed) FROM usage_daily"));
        Assert.NotEqual(0L, await _database.ScalarAsAdminAsync<long>("SELECT sum(errors) FROM usage_daily"));
        await AssertCounted();
    }

    [Fact]
    public async Task Counting_writes_one_row_a_turn_and_none_a_message()
    {
        var silo = await Start(tokens: 1_000_000);
        await Answered(silo, 5);
        // Another session's writes show once it is idle for a moment.
        await silo.Until<string>(
            "SELECT string_agg(relname || ' ' || n_tup_ins + n_tup_upd, ', ' ORDER BY relname) FROM pg_stat_user_tables WHERE relname IN ('messages', 'usage_daily', 'subscriptions', 'usage_alerts', 'billing_invoices') AND n_tup_ins + n_tup_upd > 0",
            static written => written is not null && written.Contains("usage_daily 5", StringComparison.Ordinal) && written.Contains("subscriptions 1", StringComparison.Ordinal)
                && !written.Contains("usage_alerts", StringComparison.Ordinal) && !written.Contains("billing", StringComparison.Ordinal));
    }

    private int _written;

    private async Task<TestSilo> Start(long? tokens = null, int? conversations = null, string? more = null, FakeTimeProvider? clock = null)
    {
        _silo = await TestSilo.Start(_database, clock: clock);
        await _database.ExecuteAsAdminAsync(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"""
            INSERT INTO pricing_plans (code, tier, name, token_quota, conversation_limit) VALUES ('test', 'scale', 'Test', nullif({tokens ?? -1}, -1), nullif({conversations ?? -1}, -1));
            INSERT INTO subscriptions (organization_id, plan_id, status, billing_anchor, current_period_start, current_period_end, renews_at)
            SELECT '{Organization}', id, 'active', '2026-05-01Z', '2026-05-01Z', '2036-05-01Z', '2036-05-01Z' FROM pricing_plans;
            """));
        if (more is not null)
        {
            await _database.ExecuteAsAdminAsync($"UPDATE subscriptions SET {more}");
        }
        return _silo;
    }

    private Task Write(string person, string id) => _silo!.Conversation(person).Receive(TestSilo.From(person, Text(id)));

    /// <summary>So many messages of one customer, each answered before the next.</summary>
    private async Task Answered(TestSilo silo, int times)
    {
        for (var i = 0; i < times; i++)
        {
            var wanted = ++_written;
            await Write("491", $"wamid.{wanted}");
            await silo.Until<long>(Sent, sent => sent == wanted);
        }
    }

    /// <summary>What was counted is what the turns say.</summary>
    private async Task AssertCounted() => Assert.Equal(
        await _database.ScalarAsAdminAsync<string>($"SELECT string_agg(r::text, ' ' ORDER BY r.usage_date) FROM recount_usage('{Organization}', '2000-01-01', '2999-12-31') r"),
        await _database.ScalarAsAdminAsync<string>("SELECT string_agg(d::text, ' ' ORDER BY d.usage_date) FROM (SELECT usage_date, agent_responses, tokens_consumed, interactions, errors, conversations, messages FROM usage_daily) d"));
}
