namespace Orleans.Runtime;

/// <summary>
/// Cancels a request in the order that callers rely on: first the caller gets its answer, then the grain's own token is canceled.
/// </summary>
internal sealed class RequestCancellation
{
    private readonly GrainRequest _request;
    private readonly CancellationTokenSource _grains = new();
    private readonly CancellationTokenRegistration _registration;

    /// <summary>Gives the request a token of its own in place of the caller's.</summary>
    public RequestCancellation(GrainRequest request, CancellationToken callers)
    {
        _request = request;
        request.CancellationArgument = _grains.Token;
        _registration = callers.UnsafeRegister(static (state, token) => ((RequestCancellation)state!).Cancel(token), this);
    }

    /// <summary>The request has its answer; nothing cancels it any more.</summary>
    public void End() => _registration.Unregister();

    private void Cancel(CancellationToken callers)
    {
        _request.Fail(new OperationCanceledException(callers));
        _grains.Cancel();
    }
}
