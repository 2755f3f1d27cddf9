using AgentPlatform.Api.Problems;
using Microsoft.AspNetCore.Identity;

namespace AgentPlatform.Api.Auth;

/// <summary>Hashes and checks passwords (PBKDF2 by ASP.NET's own hasher). Checks run a few at a time: each costs tens of milliseconds of a core.</summary>
public sealed class Passwords : IDisposable
{
    /// <summary>Checks that may wait; more are refused, so that a flood of sign-ins can't queue for minutes.</summary>
    public const int MaxWaiting = 64;

    private readonly PasswordHasher<object> _hasher = new();
    private readonly SemaphoreSlim _atOnce = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly string _nobody;
    private int _waiting;

    public Passwords()
    {
        _nobody = Hash(Guid.NewGuid().ToString());
    }

    public string Hash(string password) => _hasher.HashPassword(this, password);

    /// <summary>The same in turn with checks; null when too many wait already.</summary>
    public Task<string?> HashInTurn(string password, CancellationToken cancellationToken) => InTurn<string?>(() => Hash(password), null, cancellationToken);

    /// <summary>What a request gets when too many wait.</summary>
    internal static Problem Busy() => new(ProblemType.TooManyRequests, $"Too many sign-ins at once ({MaxWaiting} wait).") { RetryAfter = TimeSpan.FromSeconds(5) };

    /// <summary>
    /// Whether the password is the hash's. Without a hash (nobody has that e-mail address, or has no password) it takes the same time and is false.
    /// Null when too many checks wait already.
    /// </summary>
    public Task<bool?> Check(string? hash, string password, CancellationToken cancellationToken) => InTurn<bool?>(
        () =>
        {
            var result = _hasher.VerifyHashedPassword(this, hash ?? _nobody, password);
            return hash is not null && result != PasswordVerificationResult.Failed;
        },
        null,
        cancellationToken);

    public void Dispose() => _atOnce.Dispose();

    private async Task<T> InTurn<T>(Func<T> work, T busy, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            return busy;
        }
        try
        {
            await _atOnce.WaitAsync(cancellationToken);
            try
            {
                return await Task.Run(work, cancellationToken);
            }
            finally
            {
                _atOnce.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}
