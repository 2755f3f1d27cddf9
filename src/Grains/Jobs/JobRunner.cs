using System.Collections.Frozen;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Grains.Live;
using AgentPlatform.Grains.Maintenance;
using AgentPlatform.Jobs;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Jobs;

/// <summary>Runs a job from its claim to its end: finds its work, tries again while the database is away, and writes down how it ended.</summary>
public sealed partial class JobRunner(
    JobStore store, IEnumerable<IJobWork> works, EngineInstance instance, IOptions<EngineInstanceOptions> instances, JobOptions options, IGrainFactory grains, LiveSignals signals,
    TimeProvider clock, ILogger<JobRunner> logger)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim _places = new(options.AtOnce);

    /// <summary>Jobs that wait for a place.</summary>
    private int _waiting;
    private readonly FrozenDictionary<string, IJobWork> _works = works.ToFrozenDictionary(static work => work.Name, StringComparer.Ordinal);

    /// <summary>Runs the job if it may run now.</summary>
    /// <param name="jobId">Which.</param>
    /// <param name="cancelled">Somebody wants it to end for good.</param>
    /// <param name="stopping">This process, or the grain, stops: another one goes on with it.</param>
    public async Task Run(Guid jobId, CancellationToken cancelled, CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancelled, stopping);
        var hasPlace = false;
        try
        {
            hasPlace = await TakePlace(either.Token).ConfigureAwait(false);
            stopping.ThrowIfCancellationRequested();
            if (await store.Claim(jobId, instance.Id, options, instances.Value.DeadAfter, stopping).ConfigureAwait(false) is not { } job)
            {
                await EndCancelled(jobId).ConfigureAwait(false);
                return;
            }
            signals.Changed(job.OrganizationId, job.Id);
            await Attempt(job, either.Token, stopping).ConfigureAwait(false);
            await WakeNext().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            LogStopped(logger, jobId);
        }
        catch (Exception failure)
        {
            // The row still says who holds it; the sweep finds it when this process is gone or has let go.
            LogUnfinished(logger, jobId, failure.GetType().Name, failure.Message);
        }
        finally
        {
            if (hasPlace)
            {
                _places.Release();
            }
        }
    }

    /// <summary>Waits until this process has room for one more; false when nobody waits for that any more.</summary>
    private async Task<bool> TakePlace(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>Writes down the end of a job that was cancelled and that nobody works on.</summary>
    public Task<bool> EndCancelled(Guid jobId) => store.EndCancelled(jobId, instance.Id, instances.Value.DeadAfter, CancellationToken.None);

    private async Task Attempt(Job job, CancellationToken ended, CancellationToken stopping)
    {
        var begin = clock.GetTimestamp();
        var conflicts = 0;
        var pause = ShortestPause;
        for (Job? current = job; current is not null;)
        {
            var run = new JobRun(
                current, instance.Id, options, clock, () => signals.Changed(job.OrganizationId, job.Id), () => Volatile.Read(ref _waiting) > 0 && clock.GetElapsedTime(begin) >= options.Slice);
            try
            {
                var work = _works.GetValueOrDefault(current.Work) ?? throw new JobFailedException($"This installation has no work called {current.Work}.");
                if (current.LostLeases >= options.LostLeases)
                {
                    throw new JobFailedException($"{current.LostLeases} processes ended while they ran it, without getting any further (JOB_LOST_LEASES is {options.LostLeases}).");
                }
                if (work.IsForSomebody && await store.Refusal(current, ended).ConfigureAwait(false) is { } refusal)
                {
                    throw new JobFailedException(refusal);
                }
                var result = await work.Run(run, ended).ConfigureAwait(false);
                await End(run, JobStatuses.Completed, result, null).ConfigureAwait(false);
                return;
            }
            catch (JobLeaseLostException)
            {
                await EndCancelled(job.Id).ConfigureAwait(false);
                signals.Changed(job.OrganizationId, job.Id);
                return;
            }
            catch (JobYieldsException)
            {
                await store.Pause(job, instance.Id, CancellationToken.None).ConfigureAwait(false);
                await EndCancelled(job.Id).ConfigureAwait(false);
                signals.Changed(job.OrganizationId, job.Id);
                return;
            }
            catch (JobFailedException failure)
            {
                await End(run, JobStatuses.Failed, null, failure.Message).ConfigureAwait(false);
                return;
            }
            catch (Exception) when (stopping.IsCancellationRequested)
            {
                await store.Release(job, instance.Id, CancellationToken.None).ConfigureAwait(false);
                throw new OperationCanceledException(stopping);
            }
            catch (Exception) when (ended.IsCancellationRequested)
            {
                await End(run, JobStatuses.Cancelled, null, null).ConfigureAwait(false);
                return;
            }
            catch (Exception failure) when (PostgresFailures.IsUnavailable(failure) || (IsPassing(failure) && conflicts++ < JobOptions.MaxConflicts))
            {
                LogAgain(logger, job.Id, failure.GetType().Name, failure.Message);
            }
            catch (Exception failure)
            {
                LogDefect(logger, failure, job.Id, job.Work);
                await End(run, JobStatuses.Failed, null, $"Something went wrong on our side ({failure.GetType().Name}). The log tells more under the job's id.").ConfigureAwait(false);
                return;
            }
            (current, pause) = await Again(job, pause, ended).ConfigureAwait(false);
        }
        await EndCancelled(job.Id).ConfigureAwait(false);
    }

    /// <summary>Another transaction was in the way, or a grain that the work called could not be reached.</summary>
    private static bool IsPassing(Exception failure) =>
        PostgresFailures.IsConflict(failure) || failure is StorageUnavailableException or OrleansException or TimeoutException;

    /// <summary>The job where it stands now, once the database is there again.</summary>
    private async Task<(Job? Job, TimeSpan Pause)> Again(Job job, TimeSpan pause, CancellationToken ended)
    {
        while (true)
        {
            await Task.Delay(pause, clock, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            try
            {
                return (await store.Reread(job, instance.Id, CancellationToken.None).ConfigureAwait(false), pause);
            }
            catch (Exception failure) when (PostgresFailures.IsUnavailable(failure) && !ended.IsCancellationRequested)
            {
                LogAgain(logger, job.Id, failure.GetType().Name, failure.Message);
            }
        }
    }

    /// <summary>Writes the end down, as often as it takes: while this process lives, nobody else would.</summary>
    private async Task End(JobRun run, string status, string? result, string? error)
    {
        for (var pause = ShortestPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                if (!await store.End(run, instance.Id, status, result, error, CancellationToken.None).ConfigureAwait(false))
                {
                    LogTakenOver(logger, run.Job.Id);
                }
                break;
            }
            catch (Exception failure) when (PostgresFailures.IsUnavailable(failure))
            {
                LogAgain(logger, run.Job.Id, failure.GetType().Name, failure.Message);
                await Task.Delay(pause, clock, CancellationToken.None).ConfigureAwait(false);
            }
        }
        signals.Changed(run.Job.OrganizationId, run.Job.Id);
    }

    /// <summary>A place has become free.</summary>
    private async Task WakeNext()
    {
        foreach (var idle in await store.Idle(instances.Value.DeadAfter, options, options.PerOrganization, CancellationToken.None).ConfigureAwait(false))
        {
            await grains.GetGrain<IJobGrain>(idle).Run().ConfigureAwait(false);
        }
    }

    [LoggerMessage(EventId = 2601, Level = LogLevel.Information, Message = "Job {JobId} stops with this process; another one goes on with it")]
    private static partial void LogStopped(ILogger logger, Guid jobId);

    [LoggerMessage(EventId = 2602, Level = LogLevel.Warning, Message = "Job {JobId} could not be carried to its end ({Exception}: {Reason}); the sweep takes it up")]
    private static partial void LogUnfinished(ILogger logger, Guid jobId, string exception, string reason);

    [LoggerMessage(EventId = 2603, Level = LogLevel.Warning, Message = "Job {JobId} met a database that is away or another transaction ({Exception}: {Reason}); it goes on from its last position")]
    private static partial void LogAgain(ILogger logger, Guid jobId, string exception, string reason);

    [LoggerMessage(EventId = 2604, Level = LogLevel.Error, Message = "Job {JobId} ({Work}) failed with a defect")]
    private static partial void LogDefect(ILogger logger, Exception failure, Guid jobId, string work);

    [LoggerMessage(EventId = 2605, Level = LogLevel.Information, Message = "Job {JobId} was taken over or is gone; its end is not ours to write")]
    private static partial void LogTakenOver(ILogger logger, Guid jobId);
}
