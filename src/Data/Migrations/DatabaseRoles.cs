using AgentPlatform.Data.Connections;
using Npgsql;

namespace AgentPlatform.Data.Migrations;

/// <summary>
/// Makes the three roles. They belong to the whole server, while databases (and runners) are many, and PostgreSQL has no lock that reaches across
/// databases: so each step may lose a race, and then looks again.
/// </summary>
internal static class DatabaseRoles
{
    private const int Attempts = 20;

    public static async Task EnsureAsync(DataOptions options, CancellationToken cancellationToken)
    {
        await using var admin = new NpgsqlConnection(options.AdminConnectionString);
        await admin.OpenAsync(cancellationToken).ConfigureAwait(false);
        await EnsureRoleAsync(admin, DataOptions.MigratorRole, "nologin", cancellationToken).ConfigureAwait(false);
        await RepeatAsync(
            () => ExecuteAsync(
                admin,
                $"""
                do $$
                begin
                    -- From version 16 on, being a member and being allowed to SET ROLE are two things.
                    if not pg_has_role('{DataOptions.MigratorRole}', case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end) then
                        execute format('grant {DataOptions.MigratorRole} to %I', current_user);
                    end if;
                end
                $$
                """,
                cancellationToken),
            cancellationToken).ConfigureAwait(false);
        await RepeatAsync(
            () => ExecuteAsync(
                admin,
                $"""
                do $$ begin
                    -- For begin_restore(). An administrator who is no superuser may have granted it, or does without the import of organizations.
                    if (select rolsuper from pg_roles where rolname = current_user) and not has_parameter_privilege('{DataOptions.MigratorRole}', 'session_replication_role', 'set') then
                        grant set on parameter session_replication_role to {DataOptions.MigratorRole};
                    end if;
                end $$
                """,
                cancellationToken),
            cancellationToken).ConfigureAwait(false);
        await EnsureLoginAsync(admin, options.EngineConnectionString, DataOptions.EngineRole, cancellationToken).ConfigureAwait(false);
        await EnsureLoginAsync(admin, options.ApiConnectionString, DataOptions.ApiRole, cancellationToken).ConfigureAwait(false);
    }

    private static async Task EnsureLoginAsync(NpgsqlConnection admin, string connectionString, string role, CancellationToken cancellationToken)
    {
        await EnsureRoleAsync(admin, role, "login nosuperuser nocreatedb nocreaterole noreplication nobypassrls", cancellationToken).ConfigureAwait(false);
        var login = new NpgsqlConnectionStringBuilder(connectionString);
        if (login.Username != role || string.IsNullOrEmpty(login.Password) || await CanSignInAsync(login, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        // Passwords derived here are hexadecimal, but one from DATABASE_ENGINE_URL may hold anything: the server quotes it.
        await RepeatAsync(
            async () =>
            {
                await using var set = new NpgsqlCommand("select set_config('agentplatform.password', $1, false)", admin) { Parameters = { new() { Value = login.Password } } };
                await set.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
                await ExecuteAsync(
                    admin,
                    $"""
                    do $$ begin execute format('alter role {role} login password %L', current_setting('agentplatform.password')); end $$;
                    select set_config('agentplatform.password', '', false)
                    """,
                    cancellationToken).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
    }

    private static async Task EnsureRoleAsync(NpgsqlConnection admin, string role, string attributes, CancellationToken cancellationToken)
    {
        await using var exists = new NpgsqlCommand("select exists (select from pg_roles where rolname = $1)", admin) { Parameters = { new() { Value = role } } };
        await RepeatAsync(
            async () =>
            {
                if (await exists.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not true)
                {
                    await ExecuteAsync(admin, $"create role {role} {attributes}", cancellationToken).ConfigureAwait(false);
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    private static async Task<bool> CanSignInAsync(NpgsqlConnectionStringBuilder login, CancellationToken cancellationToken)
    {
        var once = new NpgsqlConnectionStringBuilder(login.ConnectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(once.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (PostgresException refused) when (refused.SqlState is PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification)
        {
            return false;
        }
    }

    private static async Task RepeatAsync(Func<Task> step, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await step().ConfigureAwait(false);
                return;
            }
            catch (PostgresException lostRace) when (attempt < Attempts && IsLostRace(lostRace))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(5, 50)), cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                throw new MigrationException("roles", $"the login of DATABASE_URL may not make or alter roles ({refused.MessageText}); give it CREATEROLE, or let an administrator make {DataOptions.MigratorRole}, {DataOptions.EngineRole} and {DataOptions.ApiRole} as docs/operations.md says", refused);
            }
        }
    }

    /// <summary>Someone else made the role, or altered it in the same moment ("tuple concurrently updated" has only the general code).</summary>
    private static bool IsLostRace(PostgresException failure) => failure.SqlState is
        PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.InternalError
        or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected;

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
