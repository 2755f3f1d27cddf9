using System.Net;
using System.Security.Cryptography;
using System.Text;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Connections;
using NpgsqlTypes;

namespace AgentPlatform.Api.Auth;

/// <summary>
/// Counts failed sign-ins by e-mail address, by IP address and by both, in Postgres, so that all processes count together. An unknown e-mail address is
/// counted like a known one. The count of an e-mail address alone doesn't hold in a network where its person has signed in before: whoever guesses from many places
/// locks nobody out at home.
/// </summary>
internal sealed class SignInThrottle(ApiDataSource database)
{
    private static readonly int[] Limits = [AuthOptions.MaxFailuresPerEmailAndAddress, AuthOptions.MaxFailuresPerEmail, AuthOptions.MaxFailuresPerAddress];
    private static readonly int[] LimitsWhereKnown = [AuthOptions.MaxFailuresPerEmailAndAddress, int.MaxValue, AuthOptions.MaxFailuresPerAddress];

    /// <summary>Lines in which tries stand; which one is theirs nobody outside can tell.</summary>
    private const int Lines = 256;

    /// <summary>How long a try stands in line before it is sent away.</summary>
    private static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim[] _lines = [.. Enumerable.Range(0, Lines).Select(_ => new SemaphoreSlim(1, 1))];

    /// <summary>
    /// Lets tries for one e-mail address from one network go one by one, until the result is disposed: of many at once, all would be tried before the first had failed. Null when
    /// it takes too long.
    /// </summary>
    public async Task<IDisposable?> InTurn(string email, IPAddress? address, CancellationToken cancellationToken)
    {
        var line = _lines[(uint)HashCode.Combine(email, Network(address)) % Lines];
        return await line.WaitAsync(LongestTurn, cancellationToken) ? new Turn(line) : null;
    }

    /// <summary>How long to wait before another try; zero for none.</summary>
    public async Task<TimeSpan> Wait(string email, IPAddress? address, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT sign_in_wait($1, CASE WHEN has_session_from($2, $3) THEN $4 ELSE $5 END)");
        command.Parameters.Add(new() { Value = Subjects(email, address), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        command.Parameters.Add(new() { Value = email });
        command.Parameters.Add(new() { Value = Networks(address), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Cidr });
        command.Parameters.Add(new() { Value = LimitsWhereKnown });
        command.Parameters.Add(new() { Value = Limits });
        return TimeSpan.FromSeconds((int)(await command.ExecuteScalarAsync(cancellationToken))!);
    }

    /// <summary>What a request gets that has to wait.</summary>
    public static Problem Refusal(TimeSpan wait) =>
        new(ProblemType.TooManyRequests, $"Too many failed sign-ins ({AuthOptions.MaxFailuresPerEmailAndAddress} in {AuthOptions.FailureWindow.TotalMinutes} minutes).") { RetryAfter = wait };

    public async Task Failed(string email, IPAddress? address, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT record_sign_in_failure($1, $2)");
        command.Parameters.Add(new() { Value = Subjects(email, address), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        command.Parameters.Add(new() { Value = AuthOptions.FailureWindow });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Forgets the failures of this address for this e-mail; those of the address alone stay, or one known password would hide a search for others.</summary>
    public Task Succeeded(string email, IPAddress? address, CancellationToken cancellationToken) => Forget(Subjects(email, address)[..1], cancellationToken);

    /// <summary>Forgets the failures for this e-mail as well, from wherever: a link that was sent to it has proved whose it is.</summary>
    public Task Proved(string email, IPAddress? address, CancellationToken cancellationToken) => Forget(Subjects(email, address)[..2], cancellationToken);

    private async Task Forget(byte[][] subjects, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT forget_sign_in_failures($1)");
        command.Parameters.Add(new() { Value = subjects, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static byte[][] Subjects(string email, IPAddress? address)
    {
        var from = Network(address);
        return [Hash($"both {email} {from}"), Hash($"email {email}"), Hash($"address {from}")];
    }

    /// <summary>An IPv6 customer has a /64 of addresses: they count as one.</summary>
    internal static string Network(IPAddress? address)
    {
        if (address is null)
        {
            return "unknown";
        }
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return plain.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? Convert.ToHexString(plain.GetAddressBytes().AsSpan(0, 8)) : plain.ToString();
    }

    /// <summary>The same as <see cref="Network"/> for addresses as sessions have them.</summary>
    private static IPNetwork[] Networks(IPAddress? address) => address switch
    {
        null => [],
        { AddressFamily: System.Net.Sockets.AddressFamily.InterNetwork } => [new(address, 32), new(address.MapToIPv6(), 128)],
        { IsIPv4MappedToIPv6: true } => [new(address.MapToIPv4(), 32), new(address, 128)],
        _ => [new(new IPAddress([.. address.GetAddressBytes()[..8], .. new byte[8]]), 64)],
    };

    private sealed class Turn(SemaphoreSlim line) : IDisposable
    {
        public void Dispose() => line.Release();
    }

    private static byte[] Hash(string subject) => SHA256.HashData(Encoding.UTF8.GetBytes(subject));
}
