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

    /// <summary>
    /// Whether the password is the hash's. Without a hash (nobody has that e-mail address, or has no password) it takes the same time and is false.
    /// Null when too many checks wait already.
    /// </summary>
    public async Task<bool?> Check(string? hash, string password, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            return null;
        }
        try
        {
            await _atOnce.WaitAsync(cancellationToken);
            try
            {
                var result = await Task.Run(() => _hasher.VerifyHashedPassword(this, hash ?? _nobody, password), cancellationToken);
                return hash is not null && result != PasswordVerificationResult.Failed;
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

    public void Dispose() => _atOnce.Dispose();
}
