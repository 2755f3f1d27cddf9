using System.Diagnostics;
using AgentPlatform.Data.Connections;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace AgentPlatform.Data.Migrations;

/// <summary>
/// Brings a database to this build's schema: roles first, then each numbered script that the database hasn't had, each in a transaction of its own
/// with its record in <c>schema_migrations</c>, then the repeatable scripts that changed. Any number of processes may run it at once.
/// </summary>
public sealed partial class Migrator
{
    /// <summary>Key of the advisory lock that lets one runner at a time into a database ("agplatfm" in ASCII).</summary>
    private const long LockKey = 0x6167706C6174666D;

    private readonly DataOptions _options;
    private readonly ILogger<Migrator> _logger;
    private readonly IReadOnlyList<MigrationScript> _scripts;

    /// <summary>A runner for the scripts that were built into this assembly.</summary>
    public Migrator(DataOptions options, ILogger<Migrator> logger)
        : this(options, logger, MigrationScript.Embedded())
    {
    }

    internal Migrator(DataOptions options, ILogger<Migrator> logger, IReadOnlyList<MigrationScript> scripts)
    {
        _options = options;
        _logger = logger;
        _scripts = scripts;
    }

    /// <summary>Makes the roles alone, where they are missing: what a restored backup needs and doesn't bring.</summary>
    public Task EnsureRolesAsync(CancellationToken cancellationToken = default) => DatabaseRoles.EnsureAsync(_options, cancellationToken);

    /// <summary>Applies what is missing.</summary>
    /// <returns>How many scripts ran.</returns>
    /// <exception cref="MigrationException">A script failed (nothing of it remains), or one that ran before has changed or is gone.</exception>
    /// <exception cref="NpgsqlException">The database can't be reached.</exception>
    public async Task<int> MigrateAsync(CancellationToken cancellationToken = default)
    {
        await DatabaseRoles.EnsureAsync(_options, cancellationToken).ConfigureAwait(false);
        await using var source = NpgsqlDataSource.Create(_options.AdminConnectionString);
        await using var connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, $"select pg_advisory_lock({LockKey})", cancellationToken).ConfigureAwait(false);
        await PrepareSchemaAsync(connection, cancellationToken).ConfigureAwait(false);

        var applied = await ReadAppliedAsync(connection, cancellationToken).ConfigureAwait(false);
        CheckHistory(applied);
        var count = 0;
        var clock = Stopwatch.StartNew();
        foreach (var script in _scripts)
        {
            if (applied.TryGetValue(script.Name, out var checksum) && checksum == script.Checksum)
            {
                continue;
            }

            await ApplyAsync(connection, script, cancellationToken).ConfigureAwait(false);
            count++;
        }

        LogUpToDate(_scripts.Count == 0 ? "nothing" : _scripts[^1].Name, _scripts.Count, count, clock.ElapsedMilliseconds);
        return count;
    }

    /// <summary>Extensions need more rights than the schema's owner has, so the administrator makes them; the first script then finds them.</summary>
    private async Task PrepareSchemaAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        foreach (var extension in (string[])["vector", "pgcrypto", "uuid-ossp", "pg_trgm", "unaccent"])
        {
            try
            {
                await ExecuteAsync(connection, $"""create extension if not exists "{extension}" schema public""", cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException missing) when (missing.SqlState is PostgresErrorCodes.UndefinedFile or PostgresErrorCodes.FeatureNotSupported)
            {
                throw new MigrationException("0001_roles_and_extensions", $"the database server lacks the extension {extension}; install it (pgvector is the package postgresql-<version>-pgvector, the others come with postgresql-contrib)", missing);
            }
            catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                throw new MigrationException("0001_roles_and_extensions", $"the login of DATABASE_URL may not make the extension {extension}; let an administrator make the extensions as docs/operations.md says", refused);
            }
        }

        await ExecuteAsync(
            connection,
            $"""
            do $$
            begin
                execute format('grant create, connect, temporary on database %I to {DataOptions.MigratorRole}', current_database());
                execute format('grant connect on database %I to {DataOptions.EngineRole}, {DataOptions.ApiRole}', current_database());
                if (select nspowner from pg_namespace where nspname = 'public') is distinct from '{DataOptions.MigratorRole}'::regrole then
                    alter schema public owner to {DataOptions.MigratorRole};
                end if;
            end
            $$;
            set role {DataOptions.MigratorRole};
            set search_path = public;
            create table if not exists public.schema_migrations (
                name        text primary key,
                checksum    text not null,
                applied_at  timestamptz not null default now(),
                duration_ms integer not null
            );
            """,
            cancellationToken).ConfigureAwait(false);
    }

    private static async Task<Dictionary<string, string>> ReadAppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var applied = new Dictionary<string, string>(StringComparer.Ordinal);
        await using var command = new NpgsqlCommand("select name, checksum from public.schema_migrations", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            applied.Add(reader.GetString(0), reader.GetString(1));
        }

        return applied;
    }

    /// <summary>A newer build may already have migrated further, which is fine during a rolling upgrade; a rewritten past is not.</summary>
    private void CheckHistory(Dictionary<string, string> applied)
    {
        var newest = _scripts.Max(script => script.Number) ?? 0;
        foreach (var script in _scripts.Where(script => script.Number is not null))
        {
            if (applied.TryGetValue(script.Name, out var checksum) && checksum != script.Checksum)
            {
                throw new MigrationException(script.Name, "it has changed since this database had it; restore the file and put the change into a new migration");
            }
        }

        foreach (var name in applied.Keys.Where(name => !name.Contains('/', StringComparison.Ordinal) && _scripts.All(script => script.Name != name)))
        {
            if (MigrationScript.FromFile($"sql/{name}.sql", "").Number <= newest)
            {
                throw new MigrationException(name, "this database has had it, but this build doesn't know it; it was renamed or removed, restore its file");
            }

            LogNewerSchema(name);
        }
    }

    private async Task ApplyAsync(NpgsqlConnection connection, MigrationScript script, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            if (!string.IsNullOrWhiteSpace(script.Sql))
            {
                await ExecuteAsync(connection, script.Sql, cancellationToken).ConfigureAwait(false);
            }

            await using var record = new NpgsqlCommand(
                """
                insert into public.schema_migrations (name, checksum, duration_ms) values ($1, $2, $3)
                on conflict (name) do update set checksum = excluded.checksum, applied_at = now(), duration_ms = excluded.duration_ms
                """,
                connection)
            {
                Parameters = { new() { Value = script.Name }, new() { Value = script.Checksum }, new() { Value = (int)clock.ElapsedMilliseconds } },
            };
            await record.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException failure)
        {
            throw new MigrationException(script.Name, $"{failure.MessageText} (SQLSTATE {failure.SqlState}){Details(failure)}", failure);
        }

        LogApplied(script.Name, clock.ElapsedMilliseconds);
    }

    /// <summary>What else the server says. Its position counts from the start of one statement of many, so it is left out.</summary>
    private static string Details(PostgresException failure) => string.Concat(
        failure.Hint is null ? "" : $"; hint: {failure.Hint}",
        failure.Where is null ? "" : $"; in: {failure.Where}");

    private async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = (int)_options.MigrationTimeout.TotalSeconds };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
