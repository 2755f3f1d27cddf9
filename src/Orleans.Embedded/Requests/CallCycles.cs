namespace Orleans.Runtime;

/// <summary>
/// Finds requests that wait for themselves: A awaits B, B awaits A, and A may not run B's request before its own
/// has ended. Only requests that have stood still for a while are looked at, and only activations that run a single
/// request count, as only there it is certain which request is waiting.
/// </summary>
internal static class CallCycles
{
    /// <summary>Reports one request of each cycle: one that has not started.</summary>
    public static void Find(List<GrainRequest> old, Action<GrainRequest, string> report)
    {
        Dictionary<Activation, List<GrainRequest>>? sentBy = null;
        foreach (var request in old)
        {
            if (request.Running || request.IsAnswered || request.Caller is not { } caller || !caller.RunsOneRequest)
            {
                continue;
            }

            sentBy ??= BySender(old);
            var path = new List<GrainRequest> { request };
            if (Reaches(request.Target, caller, sentBy, path, []))
            {
                path.Reverse();
                report(request, Describe(caller, path));
            }
        }
    }

    private static Dictionary<Activation, List<GrainRequest>> BySender(List<GrainRequest> requests)
    {
        var result = new Dictionary<Activation, List<GrainRequest>>();
        foreach (var request in requests)
        {
            if (request.Caller is { } caller && !request.IsAnswered)
            {
                if (!result.TryGetValue(caller, out var sent))
                {
                    result.Add(caller, sent = []);
                }

                sent.Add(request);
            }
        }

        return result;
    }

    private static bool Reaches(Activation from, Activation goal, Dictionary<Activation, List<GrainRequest>> sentBy, List<GrainRequest> path, HashSet<Activation> seen)
    {
        if (!from.RunsOneRequest || !seen.Add(from))
        {
            return false;
        }

        if (from == goal)
        {
            return true;
        }

        if (!sentBy.TryGetValue(from, out var sent))
        {
            return false;
        }

        foreach (var request in sent)
        {
            path.Insert(0, request);
            if (Reaches(request.Target, goal, sentBy, path, seen))
            {
                return true;
            }

            path.RemoveAt(0);
        }

        return false;
    }

    private static string Describe(Activation start, List<GrainRequest> path) =>
        start.GrainId + string.Concat(path.Select(request => $" -> {request.Description} on {request.Target.GrainId}"));
}

/// <summary>
/// The caller waits for a grain that waits for the caller. A <see cref="TimeoutException"/>, as clustered Orleans, which can't see
/// the cycle, ends it by the response timeout.
/// </summary>
internal sealed class CallCycleException(string cycle) : TimeoutException(
    $"The call can never end, as it waits for itself: {cycle}. Make one of the grains reentrant, let the call chain back in with RequestContext.AllowCallChainReentrancy, or don't await the call.");
