using Npgsql;

namespace AgentPlatform.Data.Tests.People;

/// <summary>What members are told, and how.</summary>
public sealed class NotificationFunctionTests(PeopleDatabase people) : IClassFixture<PeopleDatabase>
{
    private const string Tell = "select notify_member($1, $2, $3, 'Title', 'Body', 'organization', $1, $4)";

    [Fact]
    public async Task A_member_is_told_once_for_a_deduplication_key()
    {
        var person = await people.Person("member");
        Assert.NotEqual(Guid.Empty, await Notify(person, "quota_warning", "80 % of November"));
        Assert.Equal(Guid.Empty, await Notify(person, "quota_warning", "80 % of November"));
        Assert.NotEqual(Guid.Empty, await Notify(person, "quota_warning", "100 % of November"));
        Assert.Equal(2L, await Count(person));
        Assert.Equal(2L, await Emails(person));
    }

    [Fact]
    public async Task Preferences_say_where_a_type_goes()
    {
        var person = await people.Person("member");
        await people.Database.ExecuteAsAdminAsync(
            $"""
            insert into notification_preferences (organization_id, user_id, type, in_app, email) values
                ('{people.Organization}', '{person}', 'mention', true, false), ('{people.Organization}', '{person}', 'quota_warning', false, true),
                ('{people.Organization}', '{person}', 'job_finished', false, false)
            """);
        await Notify(person, "mention", null);
        Assert.Equal((1L, 0L), (await Count(person), await Emails(person)));
        await Notify(person, "quota_warning", null);
        Assert.Equal((1L, 1L), (await Count(person), await Emails(person)));
        await Notify(person, "job_finished", null);
        Assert.Equal((1L, 1L), (await Count(person), await Emails(person)));
        // Without a preference: in the product, and by e-mail what can't wait.
        await Notify(person, "conversation_assigned", null);
        await Notify(person, "activity_due", null);
        Assert.Equal((3L, 2L), (await Count(person), await Emails(person)));
    }

    [Fact]
    public async Task Nobody_but_active_members_is_told()
    {
        foreach (var person in new[] { await people.Person(), await people.Person("admin", "suspended"), Guid.NewGuid() })
        {
            Assert.Equal(Guid.Empty, await Notify(person, "mention", null));
            Assert.Equal((0L, 0L), (await Count(person), await Emails(person)));
        }
    }

    [Fact]
    public async Task All_from_a_role_up_are_told()
    {
        await people.Person("viewer");
        var admin = await people.Person("admin");
        var owner = await people.Person("owner");
        Assert.True(await people.As<int>(null, people.Organization, "select notify_members($1, 'admin', 'quota_warning', 'Title')", people.Organization) >= 2);
        Assert.Equal((1L, 1L), (await Count(admin), await Count(owner)));
        Assert.Equal(0L, await people.Database.ScalarAsAdminAsync<long>("select count(*) from notifications n join organization_members m using (organization_id, user_id) where m.role in ('viewer', 'member', 'manager') and n.title = 'Title' and n.body is null"));
    }

    [Fact]
    public async Task A_transaction_can_not_tell_members_of_another_organization()
    {
        var person = await people.Person("member");
        var refused = await Assert.ThrowsAsync<PostgresException>(() => people.As<Guid>(null, people.Other, Tell, people.Organization, person, "mention", null));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Fact]
    public async Task A_member_sees_only_what_he_or_she_was_told()
    {
        var (told, other) = (await people.Person("owner"), await people.Person("owner"));
        await Notify(told, "mention", null);
        Assert.Equal(1L, await people.As<long>(told, people.Organization, "select count(*) from notifications where user_id = $1", told));
        Assert.Equal(0L, await people.As<long>(other, people.Organization, "select count(*) from notifications where user_id = $1", told));
        Assert.Equal(0L, await people.As<long>(told, people.Other, "select count(*) from notifications"));
        foreach (var sql in new[] { "select count(subject) from outgoing_emails", "select count(body) from outgoing_emails", "insert into notifications (organization_id, user_id, type, title) values (current_organization_id(), $1, 'mention', 'x') returning 1::bigint" })
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => people.As<long>(told, people.Organization, sql, sql.Contains("$1", StringComparison.Ordinal) ? [told] : []));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        }
    }

    private Task<Guid> Notify(Guid person, string type, string? key) =>
        people.As<Guid>(null, people.Organization, Tell, people.Organization, person, type, new NpgsqlParameter { Value = (object?)key ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });

    private Task<long> Count(Guid person) => people.Database.ScalarAsAdminAsync<long>($"select count(*) from notifications where user_id = '{person}'");

    private Task<long> Emails(Guid person) => people.Database.ScalarAsAdminAsync<long>($"select count(*) from outgoing_emails where user_id = '{person}'");
}
