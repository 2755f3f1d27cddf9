using System.Net.Sockets;
using Npgsql;

namespace AgentPlatform.Data.Connections;

/// <summary>Tells a database that is away for a while from a statement that is wrong.</summary>
public static class PostgresFailures
{
    /// <summary>
    /// Whether the database was away: connection refused, broken or timed out, the server starting, stopping, recovering or out of connections.
    /// Worth a 503 with <c>Retry-After</c> and another try. What was under way may or may not have been committed.
    /// </summary>
    public static bool IsUnavailable(Exception failure) => failure switch
    {
        PostgresException answered => IsUnavailable(answered.SqlState),
        NpgsqlException { InnerException: TimeoutException or IOException or SocketException } => true,
        NpgsqlException { IsTransient: true } => true,
        SocketException => true,
        // The driver lost its place in the protocol, and closed the connection: after a statement that it was preparing was cancelled (npgsql#6391). It has no type of its own for that.
        { Source: "Npgsql" } when failure.GetType() == typeof(Exception) => true,
        AggregateException { InnerExceptions: [var only] } => IsUnavailable(only),
        _ => false,
    };

    /// <summary>Whether the same statements, run again in a new transaction, can succeed because they only met another transaction.</summary>
    public static bool IsConflict(Exception failure) => failure is PostgresException
    {
        SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.LockNotAvailable,
    };

    /// <summary>Classes 08 (connection), 53 (resources) and 57P (operator intervention), and a server that is read-only after a fail-over.</summary>
    private static bool IsUnavailable(string state) =>
        state.StartsWith("08", StringComparison.Ordinal)
        || state.StartsWith("53", StringComparison.Ordinal)
        || state.StartsWith("57P", StringComparison.Ordinal)
        || state is PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.IoError;
}
