using System.Net;
using System.Text.Json.Serialization;

namespace AgentPlatform.Data.Jobs;

/// <summary>The seed's names for kinds of jobs (<c>jobs.type</c>).</summary>
public static class JobTypes
{
    public const string FileProcessing = "file_processing";
    public const string ReportGeneration = "report_generation";
    public const string BulkProcessing = "bulk_processing";
    public const string ModelFinetuning = "model_finetuning";

    public static readonly string[] All = [FileProcessing, ReportGeneration, BulkProcessing, ModelFinetuning];
}

/// <summary>States of a job (<c>jobs.status</c>).</summary>
public static class JobStatuses
{
    public const string Pending = "pending";
    public const string Processing = "processing";
    public const string Completed = "completed";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";

    public static readonly string[] All = [Pending, Processing, Completed, Failed, Cancelled];
}

/// <summary>A job that was claimed.</summary>
/// <param name="UserId">On whose behalf; null for the product's own.</param>
/// <param name="Work">Name of the <see cref="IJobWork"/>.</param>
/// <param name="Payload">JSON.</param>
/// <param name="Progress">JSON of the last <see cref="JobProgress"/>.</param>
/// <param name="Position">JSON of the last committed position; null at the beginning.</param>
/// <param name="Attempt">Which run this is, the first being 1.</param>
public sealed record Job(Guid Id, Guid OrganizationId, Guid? UserId, string Work, string Payload, string Progress, string? Position, int Attempt)
{
    /// <summary>From where it was asked for, for the audit log.</summary>
    public IPAddress? IpAddress { get; init; }

    /// <summary>What the client that asked for it said it was.</summary>
    public string? UserAgent { get; init; }

    /// <summary>The API key by which it was asked for; null for a person.</summary>
    public Guid? ApiKeyId { get; init; }

    /// <summary>Processes in a row that died while they ran it, without a chunk of it done.</summary>
    public int LostLeases { get; init; }
}

/// <summary>How far a job is, for people. <c>Total</c> is null while it isn't known.</summary>
public sealed record JobProgress
{
    /// <summary>Lines, rows or other units dealt with.</summary>
    public long Processed { get; init; }

    public long? Total { get; init; }

    public long Succeeded { get; init; }

    public long Failed { get; init; }

    /// <summary>Of an import: rows of a sheet without any value, which are none of the others. Left out elsewhere.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Skipped { get; init; }

    /// <summary>How much of the whole, where that is known.</summary>
    public int? Percent { get; init; }

    /// <summary>What it does at the moment, in a word or two.</summary>
    public string? Phase { get; init; }
}

/// <summary>A job that can't be done, with the reason for people: it ends as failed.</summary>
public sealed class JobFailedException(string reason) : Exception(reason);

/// <summary>The run no longer holds the job: it was cancelled, or another silo took it over. Nothing of the chunk was committed.</summary>
public sealed class JobLeaseLostException() : Exception("The job was cancelled or taken over.");

/// <summary>The job has run for its slice of time, and others wait: the chunk was committed, and it goes on from there later.</summary>
public sealed class JobYieldsException() : Exception("The job waits behind others.");

/// <summary>What a kind of job does. Found by its name among the registered ones.</summary>
public interface IJobWork
{
    /// <summary><c>jobs.work</c>.</summary>
    string Name { get; }

    /// <summary>Whether it runs for somebody, who must still have the job's role when it does. False for what the product does by itself.</summary>
    bool IsForSomebody => true;

    /// <summary>Does it, from the job's position on; returns the result as JSON, or null.</summary>
    Task<string?> Run(JobRun run, CancellationToken cancellationToken);
}
