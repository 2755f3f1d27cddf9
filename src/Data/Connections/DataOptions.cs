using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace AgentPlatform.Data.Connections;

/// <summary>Where the database is and how each of the application's logins reaches it.</summary>
public sealed record DataOptions
{
    /// <summary>The role that owns the schema. Nobody signs in as it: migrations run by <c>SET ROLE</c>.</summary>
    public const string MigratorRole = "agentplatform_migrator";

    /// <summary>The silo's login: writes across organizations in a batch.</summary>
    public const string EngineRole = "agentplatform_engine";

    /// <summary>The API's login: bound by row level security to one organization per transaction.</summary>
    public const string ApiRole = "agentplatform_api";

    /// <summary>Connection string of the owner or administrator (setting <c>DATABASE_URL</c>), used by migrations only: silos and API processes do without it.</summary>
    /// <exception cref="SettingException">On reading: the setting is missing.</exception>
    [AllowNull]
    public required string AdminConnectionString
    {
        get => field ?? throw new SettingException("DATABASE_URL is not set: migrations need the login of the database's owner or administrator.");
        init;
    }

    /// <summary>Connection string of <see cref="EngineRole"/> (setting <c>DATABASE_ENGINE_URL</c>; derived from <c>DATABASE_URL</c> where absent). API processes do without it.</summary>
    /// <exception cref="SettingException">On reading: neither setting is there.</exception>
    [AllowNull]
    public required string EngineConnectionString
    {
        get => field ?? throw new SettingException("DATABASE_ENGINE_URL is not set: a silo needs the engine's login. Set it, or DATABASE_URL, from which it is derived.");
        init;
    }

    /// <summary>Connection string of <see cref="ApiRole"/> (setting <c>DATABASE_API_URL</c>; derived from <c>DATABASE_URL</c> where absent).</summary>
    /// <exception cref="SettingException">On reading: neither setting is there.</exception>
    [AllowNull]
    public required string ApiConnectionString
    {
        get => field ?? throw new SettingException("DATABASE_API_URL is not set: silos and API processes need the API's login. Set it, or DATABASE_URL, from which it is derived.");
        init;
    }

    /// <summary>How long one migration may take (setting <c>DATABASE_MIGRATION_TIMEOUT_SECONDS</c>, default 3600 s).</summary>
    public TimeSpan MigrationTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Where the driver logs to, with what the server says beside its answers; nowhere by default.</summary>
    public ILoggerFactory? DriverLog { get; init; }

    /// <summary>Most connections that this process opens as the engine (setting <c>DATABASE_ENGINE_POOL</c>, default 32). More is slower on few cores.</summary>
    public const int DefaultEnginePool = 32;

    /// <summary>Most connections that this process opens as the API (setting <c>DATABASE_API_POOL</c>, default 24).</summary>
    public const int DefaultApiPool = 24;

    /// <summary>Statements that each connection keeps prepared once they have been used a few times.</summary>
    public const int AutoPreparedStatements = 100;

    /// <summary>Reads the settings named on each property.</summary>
    /// <exception cref="SettingException">No address is given, or <c>DATABASE_URL</c> holds no password to derive the other logins from.</exception>
    public static DataOptions From(IConfiguration configuration)
    {
        var url = configuration["DATABASE_URL"];
        if (string.IsNullOrWhiteSpace(url) && string.IsNullOrWhiteSpace(configuration["DATABASE_API_URL"]))
        {
            throw new SettingException("DATABASE_URL is not set. Set it to the address of a PostgreSQL database, for example postgres://user:password@localhost:5432/agentplatform, or start with ./run.");
        }

        return From(
            url,
            configuration["DATABASE_ENGINE_URL"],
            configuration["DATABASE_API_URL"],
            configuration["DATABASE_ROLE_SECRET"],
            configuration.Setting("DATABASE_ENGINE_POOL", DefaultEnginePool),
            configuration.Setting("DATABASE_API_POOL", DefaultApiPool),
            configuration["DATABASE_ENGINE_PASSWORD"],
            configuration["DATABASE_API_PASSWORD"]) with
        {
            MigrationTimeout = TimeSpan.FromSeconds(configuration.Setting("DATABASE_MIGRATION_TIMEOUT_SECONDS", 3600)),
        };
    }

    /// <summary>Derives the options from one address; see the settings on each property.</summary>
    /// <param name="adminUrl">URL or connection string of the owner or administrator; null where nobody migrates.</param>
    /// <param name="engineUrl">Explicit address of the engine's login, or null to derive it.</param>
    /// <param name="apiUrl">Explicit address of the API's login, or null to derive it.</param>
    /// <param name="roleSecret">What passwords of derived logins are computed from (setting <c>DATABASE_ROLE_SECRET</c>); the administrator's password where null.</param>
    /// <param name="enginePool">Most connections as the engine.</param>
    /// <param name="apiPool">Most connections as the API.</param>
    /// <param name="enginePassword">Password of the engine's login where its address is derived (setting <c>DATABASE_ENGINE_PASSWORD</c>); computed where null.</param>
    /// <param name="apiPassword">The same of the API's login (setting <c>DATABASE_API_PASSWORD</c>).</param>
    public static DataOptions From(
        string? adminUrl,
        string? engineUrl = null,
        string? apiUrl = null,
        string? roleSecret = null,
        int enginePool = DefaultEnginePool,
        int apiPool = DefaultApiPool,
        string? enginePassword = null,
        string? apiPassword = null)
    {
        var admin = string.IsNullOrWhiteSpace(adminUrl) ? null : DatabaseUrl.Parse(adminUrl);
        if (admin is not null)
        {
            admin.Pooling = false;
            admin.IncludeErrorDetail = false;
        }
        var secret = string.IsNullOrEmpty(roleSecret) ? admin?.Password : roleSecret;
        return new DataOptions
        {
            AdminConnectionString = admin?.ConnectionString,
            EngineConnectionString = Login(admin, engineUrl, EngineRole, enginePassword, secret, enginePool),
            ApiConnectionString = Login(admin, apiUrl, ApiRole, apiPassword, secret, apiPool),
        };
    }

    private static string? Login(NpgsqlConnectionStringBuilder? admin, string? explicitUrl, string role, string? password, string? secret, int pool)
    {
        NpgsqlConnectionStringBuilder login;
        if (string.IsNullOrWhiteSpace(explicitUrl))
        {
            if (admin is null)
            {
                return null;
            }

            if (string.IsNullOrEmpty(password) && string.IsNullOrEmpty(secret))
            {
                throw new SettingException($"DATABASE_URL holds no password, so the password of {role} can't be derived. Set DATABASE_ROLE_SECRET to a long random text, or give the logins in DATABASE_ENGINE_URL and DATABASE_API_URL.");
            }

            login = new NpgsqlConnectionStringBuilder(admin.ConnectionString) { Username = role, Password = string.IsNullOrEmpty(password) ? DerivePassword(secret!, role) : password };
        }
        else
        {
            login = DatabaseUrl.Parse(explicitUrl);
        }

        login.Pooling = true;
        login.MaxPoolSize = pool;
        login.MaxAutoPrepare = AutoPreparedStatements;
        login.AutoPrepareMinUsages = 3;
        login.NoResetOnClose = true;
        login.IncludeErrorDetail = false;
        login.ApplicationName ??= role;
        return login.ConnectionString;
    }

    /// <summary>The same secret and role give the same password in every process, so that nothing needs to be handed around.</summary>
    private static string DerivePassword(string secret, string role) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes("agentplatform login " + role)));
}
