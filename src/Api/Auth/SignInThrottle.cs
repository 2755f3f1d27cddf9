using System.Net;
using System.Security.Cryptography;
using System.Text;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Connections;
using NpgsqlTypes;

namespace AgentPlatform.Api.Auth;

/// <summary>
/// Counts failed sign-ins by e-mail address, by IP address and by both, in Postgres, so that all processes count together. An unknown e-mail address is
/// counted like a known one.
/// </summary>
internal sealed class SignInThrottle(ApiDataSource database)
{
    private static readonly int[] Limits = [AuthOptions.MaxFailuresPerEmailAndAddress, AuthOptions.MaxFailuresPerEmail, AuthOptions.MaxFailuresPerAddress];

    /// <summary>How long to wait before another try; zero for none.</summary>
    public async Task<TimeSpan> Wait(string email, IPAddress? address, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT sign_in_wait($1, $2)");
        command.Parameters.Add(new() { Value = Subjects(email, address), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
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
    public async Task Succeeded(string email, IPAddress? address, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT forget_sign_in_failures($1)");
        command.Parameters.Add(new() { Value = Subjects(email, address)[..1], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
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

    private static byte[] Hash(string subject) => SHA256.HashData(Encoding.UTF8.GetBytes(subject));
}
