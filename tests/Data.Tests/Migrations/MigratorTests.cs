using AgentPlatform.Data.Migrations;
using AgentPlatform.Fakes.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentPlatform.Data.Tests.Migrations;

public sealed class MigratorTests : IAsyncLifetime
{
    private static readonly MigrationScript First = MigrationScript.FromFile("sql/0001_first.sql", "create table first (id int);");
    private static readonly MigrationScript Second = MigrationScript.FromFile("sql/0002_second.sql", "create table second (id int); insert into second values (1);");

    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateEmptyAsync();

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task The_scripts_of_this_build_apply_to_an_empty_database_and_then_rest()
    {
        var migrator = new Migrator(_database.DataOptions, NullLogger<Migrator>.Instance);

        Assert.Equal(MigrationScript.Embedded().Count, await migrator.MigrateAsync());
        Assert.Equal(0, await migrator.MigrateAsync());
    }

    [Fact]
    public async Task Each_script_runs_once_and_is_recorded_with_its_checksum()
    {
        Assert.Equal(1, await MigrateAsync(First));
        Assert.Equal(1, await MigrateAsync(First, Second));

        Assert.Equal(First.Checksum, await _database.ScalarAsAdminAsync<string>("select checksum from schema_migrations where name = '0001_first'"));
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>("select count(*) from second"));
    }

    [Fact]
    public async Task What_migrations_make_belongs_to_the_migrator_role()
    {
        await MigrateAsync(First);

        Assert.Equal("agentplatform_migrator", await _database.ScalarAsAdminAsync<string>("select tableowner::text from pg_tables where tablename = 'first'"));
    }

    [Fact]
    public async Task A_changed_old_migration_is_an_error_that_names_it()
    {
        await MigrateAsync(First, Second);
        var changed = First with { Sql = First.Sql + " -- changed" };

        var failure = await Assert.ThrowsAsync<MigrationException>(() => MigrateAsync(MigrationScript.FromFile("sql/0001_first.sql", changed.Sql), Second));

        Assert.Contains("0001_first", failure.Message, StringComparison.Ordinal);
        Assert.Contains("changed", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_removed_old_migration_is_an_error()
    {
        await MigrateAsync(First, Second);

        var failure = await Assert.ThrowsAsync<MigrationException>(() => MigrateAsync(Second));

        Assert.Equal("0001_first", failure.Migration);
    }

    [Fact]
    public async Task A_database_that_a_newer_build_migrated_further_is_accepted()
    {
        await MigrateAsync(First, Second);

        Assert.Equal(0, await MigrateAsync(First));
    }

    [Fact]
    public async Task A_failing_migration_leaves_nothing_and_keeps_what_came_before()
    {
        var failing = MigrationScript.FromFile("sql/0002_failing.sql", "create table half (id int);\nselect no_such_column;");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => MigrateAsync(First, failing));

        Assert.Contains("0002_failing", failure.Message, StringComparison.Ordinal);
        Assert.Contains("no_such_column", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0L, await _database.ScalarAsAdminAsync<long>("select count(*) from pg_tables where tablename = 'half'"));
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>("select count(*) from schema_migrations"));
        Assert.Equal(1, await MigrateAsync(First, Second));
    }

    [Fact]
    public async Task Many_runners_at_once_apply_each_script_once()
    {
        var counts = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => MigrateAsync(First, Second))));

        Assert.Equal(2, counts.Sum());
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>("select count(*) from second"));
    }

    [Fact]
    public async Task Runners_in_several_databases_of_one_server_may_make_the_roles_at_once()
    {
        await using var other = await TestDatabase.CreateEmptyAsync();

        var counts = await Task.WhenAll(
            Task.Run(() => MigrateAsync(First)),
            Task.Run(() => new Migrator(other.DataOptions, NullLogger<Migrator>.Instance, [First]).MigrateAsync()));

        Assert.Equal([1, 1], counts);
    }

    [Fact]
    public async Task A_repeatable_script_runs_again_when_it_changed()
    {
        await MigrateAsync(MigrationScript.FromFile("sql/orleans/query.sql", "create table if not exists texts (text text); insert into texts values ('old');"));
        var changed = MigrationScript.FromFile("sql/orleans/query.sql", "update texts set text = 'new';");

        Assert.Equal(1, await MigrateAsync(changed));
        Assert.Equal(0, await MigrateAsync(changed));
        Assert.Equal("new", await _database.ScalarAsAdminAsync<string>("select text from texts"));
    }

    [Fact]
    public void Two_scripts_with_one_number_are_an_error()
    {
        var twin = MigrationScript.FromFile("sql/0001_twin.sql", "");

        Assert.Throws<MigrationException>(() => MigrationScript.Order([First, twin]));
    }

    [Theory]
    [InlineData("sql/1_short.sql")]
    [InlineData("sql/add_tags.sql")]
    [InlineData("sql/0003-dashes.sql")]
    public void A_file_name_without_a_number_is_an_error(string path) => Assert.Throws<MigrationException>(() => MigrationScript.FromFile(path, ""));

    [Fact]
    public void The_checksum_is_the_same_for_either_kind_of_line_end() =>
        Assert.Equal(MigrationScript.FromFile("sql/0001_a.sql", "a\nb").Checksum, MigrationScript.FromFile("sql/0001_a.sql", "a\r\nb").Checksum);

    private Task<int> MigrateAsync(params MigrationScript[] scripts) =>
        new Migrator(_database.DataOptions, NullLogger<Migrator>.Instance, MigrationScript.Order(scripts)).MigrateAsync();
}
