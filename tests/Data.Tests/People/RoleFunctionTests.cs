using AgentPlatform.Data.Tenancy;
using Npgsql;

namespace AgentPlatform.Data.Tests.People;

/// <summary>The functions by which policies and reports ask who may do what.</summary>
public sealed class RoleFunctionTests(PeopleDatabase people) : IClassFixture<PeopleDatabase>
{
    [Theory]
    [InlineData("viewer", "VIEWER", true)]
    [InlineData("viewer", "member", false)]
    [InlineData("member", "MANAGER", false)]
    [InlineData("manager", "MANAGER", true)]
    [InlineData("admin", "manager", true)]
    [InlineData("admin", "OWNER", false)]
    [InlineData("owner", "OWNER", true)]
    [InlineData("owner", "nonsense", false)]
    public async Task A_role_holds_for_itself_and_all_below(string role, string needed, bool expected)
    {
        var person = await people.Person(role);
        Assert.Equal(expected, await people.As<bool>(person, people.Organization, "select has_role($1, $2)", people.Organization, needed));
        Assert.Equal(role, await people.As<string>(person, people.Organization, "select get_user_role($1)::text", people.Organization));
    }

    [Fact]
    public async Task Whoever_is_no_active_member_has_no_role_and_no_access()
    {
        foreach (var person in new Guid?[] { await people.Person(), await people.Person("admin", "suspended"), await people.Person("admin", "inactive"), Guid.NewGuid(), null })
        {
            Assert.Null(await people.As<string>(person, people.Organization, "select get_user_role($1)::text", people.Organization));
            Assert.False(await people.As<bool>(person, people.Organization, "select user_has_workspace_access($1)", people.Organization));
            Assert.False(await people.As<bool>(person, people.Organization, "select has_role($1, 'VIEWER')", people.Organization));
        }
    }

    [Fact]
    public async Task A_membership_counts_in_its_own_organization_only()
    {
        var person = await people.Person("owner");
        Assert.True(await people.As<bool>(person, people.Organization, "select user_has_workspace_access($1)", people.Organization));
        Assert.False(await people.As<bool>(person, people.Organization, "select user_has_workspace_access($1)", people.Other));
        Assert.False(await people.As<bool>(person, people.Organization, "select has_role($1, 'VIEWER')", people.Other));
    }

    [Fact]
    public async Task A_super_admin_has_every_role_everywhere_but_is_no_member()
    {
        var person = await people.Person();
        await people.Database.ExecuteAsAdminAsync($"update users set is_super_admin = true where id = '{person}'");
        Assert.True(await people.As<bool>(person, people.Organization, "select has_role($1, 'OWNER') and user_has_workspace_access($1)", people.Other));
        Assert.Null(await people.As<string>(person, people.Organization, "select get_user_role($1)::text", people.Organization));
    }

    [Fact]
    public async Task The_organization_of_a_transaction_is_the_one_that_it_was_bound_to()
    {
        Assert.Equal(people.Organization, await people.As<Guid>(null, people.Organization, "select get_my_organization_id()"));
        await using var command = people.Api.CreateCommand("select get_my_organization_id()");
        Assert.Equal(DBNull.Value, await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task Claims_bind_a_transaction_to_their_organization()
    {
        await using var connection = await people.Api.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Run($"select set_config('request.jwt.claims', '{{\"organization_id\": \"{people.Other}\"}}', true), set_organization_id()");
        Assert.Equal(people.Other, await Run("select get_my_organization_id()"));
        await Run("select set_config('request.jwt.claims', '', true), set_organization_id()");
        Assert.Equal(DBNull.Value, await Run("select get_my_organization_id()"));

        async Task<object?> Run(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            return await command.ExecuteScalarAsync();
        }
    }

    [Fact]
    public async Task Agents_are_written_by_managers_and_above_in_the_database_too()
    {
        const string Insert = "insert into agents (organization_id, name) values (current_organization_id(), 'Agent') returning id";
        var made = await people.As<Guid>(await people.Person("manager"), people.Organization, Insert);
        var member = await people.Person("member");
        var refused = await Assert.ThrowsAsync<PostgresException>(() => people.As<Guid>(member, people.Organization, Insert));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        Assert.Equal(default, await people.As<Guid>(member, people.Organization, "update agents set name = 'Mine' where id = $1 returning id", made));
        Assert.Equal(1L, await people.As<long>(member, people.Organization, "select count(*) from agents where id = $1", made));
    }

    [Fact]
    public async Task Whoever_signs_up_owns_a_new_organization()
    {
        var (person, organization) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        const string SignUp = "select sign_up($1, $2, $3, 'hash', 'Ada', 'Byron', 'en', $4)";
        Assert.True(await people.As<bool>(null, organization, SignUp, person, organization, $"{person:N}@example.com", "Ünïcode & Söhne"));
        Assert.Equal("owner", await people.Database.ScalarAsAdminAsync<string>($"select role from organization_members where organization_id = '{organization}' and user_id = '{person}'"));
        Assert.Equal(organization, await people.Database.ScalarAsAdminAsync<Guid>($"select default_organization_id from users where id = '{person}'"));
        Assert.Equal("unicode-sohne", await people.Database.ScalarAsAdminAsync<string>($"select slug from organizations where id = '{organization}'"));

        // The address is taken: nothing is made.
        var another = Guid.CreateVersion7();
        Assert.False(await people.As<bool>(null, another, SignUp, another, another, $"{person:N}@example.com", "Another"));
        Assert.Equal(0L, await people.Database.ScalarAsAdminAsync<long>($"select count(*) from organizations where id = '{another}'"));
    }

    [Fact]
    public async Task A_name_that_is_taken_or_has_no_latin_letters_gets_a_slug_too()
    {
        var slugs = new HashSet<string>();
        foreach (var name in new[] { "Same", "Same", "東京", "Тур", "---" })
        {
            var organization = Guid.CreateVersion7();
            await people.Database.ExecuteAsAdminAsync($"select create_organization('{organization}', '{name}', '{await people.Person()}')");
            Assert.True(slugs.Add((await people.Database.ScalarAsAdminAsync<string>($"select slug from organizations where id = '{organization}'"))!));
        }
    }

    [Fact]
    public async Task An_organization_keeps_an_owner_however_many_leave_at_once()
    {
        var organization = Guid.CreateVersion7();
        var owners = new List<Guid> { await people.Person() };
        await people.Database.ExecuteAsAdminAsync($"select create_organization('{organization}', 'Many owners', '{owners[0]}')");
        for (var more = 0; more < 7; more++)
        {
            owners.Add(await people.Person());
            await people.Database.ExecuteAsAdminAsync($"insert into organization_members (organization_id, user_id, role) values ('{organization}', '{owners[^1]}', 'owner')");
        }
        string[] ways = ["update organization_members set role = 'admin' where user_id = $1", "update organization_members set status = 'suspended' where user_id = $1", "delete from organization_members where user_id = $1"];
        var outcomes = await Task.WhenAll(owners.Select(async (owner, index) =>
        {
            try
            {
                await using var session = await TenantSession.OpenAsync(people.Api, new Tenant(organization, owner));
                await session.ExecuteAsync(ways[index % ways.Length], default, owner);
                await session.CommitAsync();
                return true;
            }
            catch (PostgresException refused) when (refused.ConstraintName == "organization_keeps_an_owner")
            {
                return false;
            }
        }));
        Assert.Equal(1, outcomes.Count(left => !left));
        Assert.Equal(1L, await people.Database.ScalarAsAdminAsync<long>($"select count(*) from organization_members where organization_id = '{organization}' and role = 'owner' and status = 'active'"));
        // The organization itself may go, with its last owner.
        await people.Database.ExecuteAsAdminAsync($"delete from organizations where id = '{organization}'");
    }
}
