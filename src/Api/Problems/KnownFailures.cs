using AgentPlatform.Api.Limits;
using AgentPlatform.Data.Connections;
using Npgsql;

namespace AgentPlatform.Api.Problems;

/// <summary>Turns failures that carry an answer for the caller into problems; everything else is a defect and stays an exception.</summary>
public static class KnownFailures
{
    /// <summary>When to come again while the database or the engine is away.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    /// <summary>Where Postgres reports that a role has no grant.</summary>
    private const string GrantCheck = "aclcheck_error";

    /// <summary>Null when the failure is not one that a caller can do anything about.</summary>
    public static Problem? ToProblem(Exception failure) => failure switch
    {
        StorageUnavailableException => Unavailable("The database can't be reached."),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => new Problem(ProblemType.BodyTooLarge),
        LimitReachedException limit => new Problem(ProblemType.TooManyRequests, limit.Message) { RetryAfter = TimeSpan.FromSeconds(10) },
        // What says that it is compressed, and isn't.
        InvalidDataException { Source: "System.IO.Compression" or "System.IO.Compression.Brotli" } => new Problem(ProblemType.MalformedBody, "The body is not what its Content-Encoding says."),
        BadHttpRequestException bad => new Problem(ProblemType.MalformedBody, bad.Message),
        _ when PostgresFailures.IsUnavailable(failure) => Unavailable("The database can't be reached."),
        _ when PostgresFailures.IsConflict(failure) => Unavailable("The change met another one. Try again."),
        TimeoutException => Unavailable("The engine did not answer in time."),
        // The silo that should have answered is gone, or there is no way to one.
        OrleansException => Unavailable("The engine can't be reached."),
        PostgresException answered => OfStatement(answered),
        _ => null,
    };

    /// <summary>
    /// What the database's own checks refuse. Fields are checked before, so this is for what only the database can know: a race for a unique value, a
    /// reference that vanished, a value that a function refuses. Constraints are named as sentences, so that the name tells.
    /// </summary>
    private static Problem? OfStatement(PostgresException failure) => failure.SqlState switch
    {
        PostgresErrorCodes.UniqueViolation => new Problem(ProblemType.Conflict, Sentence(failure)),
        PostgresErrorCodes.ForeignKeyViolation => new Problem(ProblemType.Conflict, "Something that it refers to is gone, or something still refers to it."),
        PostgresErrorCodes.CheckViolation when failure.ConstraintName?.StartsWith("plan_allows_more_", StringComparison.Ordinal) == true => new Problem(ProblemType.Conflict, failure.MessageText),
        PostgresErrorCodes.CheckViolation or PostgresErrorCodes.NotNullViolation => new Problem(ProblemType.Validation, Sentence(failure)),
        PostgresErrorCodes.ProgramLimitExceeded => new Problem(ProblemType.Validation, "A value is too long to be stored."),
        // Row level security and triggers look at the role as it is now; this process may not have heard yet that it is another one. A missing grant is a defect.
        PostgresErrorCodes.InsufficientPrivilege when failure.Routine != GrantCheck => new Problem(ProblemType.Forbidden, "Your role does not allow it any more."),
        ['2', '2', ..] => new Problem(ProblemType.Validation, "A value can't be stored in this form."),
        _ => null,
    };

    private static string Sentence(PostgresException failure) =>
        string.IsNullOrEmpty(failure.ConstraintName)
            ? "A rule of the database does not allow it."
            : $"A rule does not allow it: {failure.ConstraintName.Replace('_', ' ')}.";

    private static Problem Unavailable(string detail) => new(ProblemType.Unavailable, detail) { RetryAfter = RetryAfter };
}
