using System.Net;
using System.Security.Cryptography;
using System.Text;
using AgentPlatform.Data.Connections;
using NpgsqlTypes;

namespace AgentPlatform.Api.Auth;

/// <summary>Limits what can be asked for without sign-in and leaves something behind: accounts, e-mails. Counted in Postgres, so that all processes count together.</summary>
internal sealed class AccountThrottle(ApiDataSource database, AccountOptions options)
{
    /// <summary>Requests for a new password of one e-mail address from one IP address within <see cref="ResetWindow"/>.</summary>
    public const int MaxResetsPerEmailAndAddress = 5;

    /// <summary>Requests for a new password from one IP address within <see cref="ResetWindow"/>.</summary>
    public const int MaxResetsPerAddress = 50;

    /// <summary>How long requests for a new password count.</summary>
    public static readonly TimeSpan ResetWindow = TimeSpan.FromMinutes(15);

    /// <summary>How long sign-ups count.</summary>
    public static readonly TimeSpan SignUpWindow = TimeSpan.FromHours(1);

    /// <summary>Counts a sign-up; how long to wait when there were too many.</summary>
    public Task<TimeSpan> SignUp(IPAddress? address, CancellationToken cancellationToken) =>
        Take([($"sign-up {SignInThrottle.Network(address)}", options.SignUpsPerHour)], SignUpWindow, cancellationToken);

    /// <summary>Counts a request for a new password, whether or not anybody has the address; how long to wait when there were too many.</summary>
    public Task<TimeSpan> Reset(string email, IPAddress? address, CancellationToken cancellationToken)
    {
        var from = SignInThrottle.Network(address);
        return Take([($"reset {email} {from}", MaxResetsPerEmailAndAddress), ($"reset {from}", MaxResetsPerAddress)], ResetWindow, cancellationToken);
    }

    private async Task<TimeSpan> Take((string Subject, int Limit)[] counted, TimeSpan window, CancellationToken cancellationToken)
    {
        var subjects = counted.Select(entry => SHA256.HashData(Encoding.UTF8.GetBytes(entry.Subject))).ToArray();
        await using var wait = database.CreateCommand("SELECT sign_in_wait($1, $2)");
        wait.Parameters.Add(new() { Value = subjects, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        wait.Parameters.Add(new() { Value = counted.Select(entry => entry.Limit).ToArray() });
        var seconds = (int)(await wait.ExecuteScalarAsync(cancellationToken))!;
        if (seconds > 0)
        {
            return TimeSpan.FromSeconds(seconds);
        }
        await using var record = database.CreateCommand("SELECT record_sign_in_failure($1, $2)");
        record.Parameters.Add(new() { Value = subjects, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        record.Parameters.Add(new() { Value = window });
        await record.ExecuteNonQueryAsync(cancellationToken);
        return TimeSpan.Zero;
    }
}
