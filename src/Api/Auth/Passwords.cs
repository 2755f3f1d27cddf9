using System.Net;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Auth;

/// <summary>Hashes and checks passwords (PBKDF2 by ASP.NET's own hasher). Checks run a few at a time: each costs tens of milliseconds of a core.</summary>
public sealed class Passwords : IDisposable
{
    /// <summary>Checks that may wait; more are refused, so that a flood of sign-ins can't queue for minutes.</summary>
    public const int MaxWaiting = 64;

    /// <summary>Of these, how many may be of one organization or, before a sign-in, of one network: nobody fills the line alone.</summary>
    public const int MaxWaitingOfOne = 8;

    /// <summary>Rounds of PBKDF2 with HMAC-SHA512: what OWASP's cheat sheet on storing passwords asks for. Older hashes are made again at the next sign-in.</summary>
    public const int Iterations = 210_000;

    private readonly PasswordHasher<object> _hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = Iterations }));
    private readonly SemaphoreSlim _atOnce = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly string _nobody;
    private readonly Dictionary<string, Line> _lines = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private int _waiting;

    public Passwords()
    {
        _nobody = Hash(Guid.NewGuid().ToString());
    }

    /// <summary>The hash of the password as it is prepared.</summary>
    public string Hash(string password) => _hasher.HashPassword(this, PasswordPreparation.Prepared(password));

    /// <summary>The same in turn with checks; null when too many wait already.</summary>
    internal Task<string?> HashInTurn(OperationRequest request, string password) => InTurn<string?>(Who(request), () => Hash(password), null, request.Cancelled);

    /// <summary>Who stands in line: whoever has signed in as the organization, anybody else as the network.</summary>
    internal static string Who(OperationRequest request) => request.KnownCaller is { } caller ? $"organization {caller.OrganizationId:N}" : Who(request.Http.Connection.RemoteIpAddress);

    internal static string Who(IPAddress? address) => $"network {SignInThrottle.Network(address)}";

    /// <summary>What a request gets when too many wait.</summary>
    internal static Problem Busy() => new(ProblemType.TooManyRequests, $"Too many passwords are to be checked or set at once: {MaxWaitingOfOne} of one organization or network may wait, {MaxWaiting} of all.") { RetryAfter = TimeSpan.FromSeconds(5) };

    /// <summary>
    /// Whether the password is the hash's, also where that was made of it before passwords were prepared. Without a hash (nobody has that e-mail address, or has no password) it
    /// takes the same time and is wrong.
    /// </summary>
    internal Task<PasswordCheck> Check(string who, string? hash, string password, CancellationToken cancellationToken) => InTurn(
        who,
        () =>
        {
            foreach (var form in PasswordPreparation.Forms(password))
            {
                var result = _hasher.VerifyHashedPassword(this, hash ?? _nobody, form);
                if (hash is not null && result != PasswordVerificationResult.Failed)
                {
                    var isOld = result == PasswordVerificationResult.SuccessRehashNeeded || form != PasswordPreparation.Prepared(password);
                    return new PasswordCheck(PasswordOutcome.Right, isOld ? Hash(password) : null);
                }
            }
            return new PasswordCheck(PasswordOutcome.Wrong, null);
        },
        new PasswordCheck(PasswordOutcome.Busy, null),
        cancellationToken);

    public void Dispose() => _atOnce.Dispose();

    private async Task<T> InTurn<T>(string who, Func<T> work, T busy, CancellationToken cancellationToken)
    {
        Line line;
        lock (_gate)
        {
            line = _lines.TryGetValue(who, out var known) ? known : new Line();
            if (_waiting >= MaxWaiting || line.Waiting >= MaxWaitingOfOne)
            {
                return busy;
            }
            _waiting++;
            line.Waiting++;
            _lines[who] = line;
        }
        var isNext = false;
        try
        {
            // First in one's own line, then in that of all: each line has one there, and nobody waits behind all of another's.
            await line.Turn.WaitAsync(cancellationToken);
            isNext = true;
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
            if (isNext)
            {
                line.Turn.Release();
            }
            lock (_gate)
            {
                _waiting--;
                if (--line.Waiting == 0)
                {
                    _lines.Remove(who);
                }
            }
        }
    }

    /// <summary>Those of one organization or network.</summary>
    private sealed class Line
    {
        public SemaphoreSlim Turn { get; } = new(1);

        public int Waiting { get; set; }
    }
}

/// <summary>How a check of a password ended.</summary>
internal enum PasswordOutcome
{
    Wrong,
    Right,

    /// <summary>Too many checks wait already.</summary>
    Busy,
}

/// <summary>The end of a check.</summary>
/// <param name="NewHash">Takes the place of the hash that was checked, which was made in an older way; null where it can stay.</param>
internal readonly record struct PasswordCheck(PasswordOutcome Outcome, string? NewHash);
