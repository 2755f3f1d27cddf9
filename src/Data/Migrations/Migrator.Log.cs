using Microsoft.Extensions.Logging;

namespace AgentPlatform.Data.Migrations;

public sealed partial class Migrator
{
    [LoggerMessage(1001, LogLevel.Debug, "Migration {Migration} applied in {Milliseconds} ms")]
    private partial void LogApplied(string migration, long milliseconds);

    [LoggerMessage(1002, LogLevel.Information, "Database schema is up to date at {Newest}: {Known} scripts known, {Applied} applied now, in {Milliseconds} ms")]
    private partial void LogUpToDate(string newest, int known, int applied, long milliseconds);

    [LoggerMessage(1003, LogLevel.Warning, "The database has migration {Migration}, which is newer than this build; going on, since migrations stay compatible with the build before them")]
    private partial void LogNewerSchema(string migration);
}
