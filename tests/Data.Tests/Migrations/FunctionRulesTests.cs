using AgentPlatform.Fakes.Postgres;

namespace AgentPlatform.Data.Tests.Migrations;

public sealed class FunctionRulesTests : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync();

    public async Task DisposeAsync() => await _database.DisposeAsync();

    /// <summary>Whoever can make a table or a function in some schema must not be able to have it found in place of ours. A plain SQL function that runs with its caller's rights may do without, so that the planner can inline it.</summary>
    [Fact]
    public async Task Every_function_that_could_be_led_astray_has_an_empty_search_path() =>
        Assert.Null(await _database.ScalarAsAdminAsync<string>(
            """
            SELECT string_agg(p.oid::regprocedure::text, ', ')
            FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
            WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
              AND (p.prosecdef OR l.lanname <> 'sql')
              AND NOT coalesce(p.proconfig, '{}') @> ARRAY['search_path=""']
            """));

    [Fact]
    public async Task What_runs_with_the_rights_of_the_owner_is_not_for_everybody() =>
        Assert.Null(await _database.ScalarAsAdminAsync<string>(
            """
            SELECT string_agg(p.oid::regprocedure::text, ', ')
            FROM pg_proc p
            WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND p.prorettype <> 'trigger'::regtype
              AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0)
            """));
}
