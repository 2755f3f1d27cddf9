using System.Net;
using System.Security.Cryptography;
using System.Text;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Auth;

/// <summary>Limits what can be asked for and leaves something behind: accounts, e-mails to others. Counted in Postgres, so that all processes count together.</summary>
internal sealed class AccountThrottle(ApiDataSource database, AccountOptions options)
{
    private const string Count = "SELECT count_request($1, $2, $3)";

    /// <summary>Requests for a new password of one e-mail address from one IP address within <see cref="ResetWindow"/>.</summary>
    public const int MaxResetsPerEmailAndAddress = 5;

    /// <summary>Requests for a new password from one IP address within <see cref="ResetWindow"/>.</summary>
    public const int MaxResetsPerAddress = 50;

    /// <summary>Requests for a new password of one e-mail address, from wherever, within <see cref="ResetMailWindow"/>: whoever is meant has that many links by then.</summary>
    public const int MaxResetsPerEmail = 10;

    /// <summary>How long requests for a new password of one e-mail address count, from wherever they come.</summary>
    public static readonly TimeSpan ResetMailWindow = TimeSpan.FromHours(1);

    /// <summary>Test e-mails of one organization within <see cref="TestEmailWindow"/>.</summary>
    public const int MaxTestEmails = 10;

    /// <summary>How long test e-mails count.</summary>
    public static readonly TimeSpan TestEmailWindow = TimeSpan.FromHours(1);

    /// <summary>How long invitations count.</summary>
    public static readonly TimeSpan InvitationWindow = TimeSpan.FromDays(1);

    /// <summary>How long requests for a new password count.</summary>
    public static readonly TimeSpan ResetWindow = TimeSpan.FromMinutes(15);

    /// <summary>How long sign-ups count.</summary>
    public static readonly TimeSpan SignUpWindow = TimeSpan.FromHours(1);

    /// <summary>Counts a sign-up; how long to wait when there were too many.</summary>
    public Task<TimeSpan> SignUp(IPAddress? address, CancellationToken cancellationToken) =>
        Take([($"sign-up {SignInThrottle.Network(address)}", options.SignUpsPerHour)], SignUpWindow, cancellationToken);

    /// <summary>Counts a request for a new password, whether or not anybody has the address; how long to wait when there were too many.</summary>
    public async Task<TimeSpan> Reset(string email, IPAddress? address, CancellationToken cancellationToken)
    {
        var from = SignInThrottle.Network(address);
        var wait = await Take([($"reset {email} {from}", MaxResetsPerEmailAndAddress), ($"reset {from}", MaxResetsPerAddress)], ResetWindow, cancellationToken);
        return wait > TimeSpan.Zero ? wait : await Take([($"reset mail {email}", MaxResetsPerEmail)], ResetMailWindow, cancellationToken);
    }

    /// <summary>Counts a test e-mail; how long to wait when there were too many.</summary>
    public Task<TimeSpan> TestEmail(Guid organization, CancellationToken cancellationToken) => Take([($"test e-mail {organization}", MaxTestEmails)], TestEmailWindow, cancellationToken);

    /// <summary>Counts an invitation in the transaction that makes it; how long to wait when there were too many.</summary>
    public static async Task<TimeSpan> Invitation(TenantSession session, Guid organization, int mostPerDay, CancellationToken cancellationToken) =>
        TimeSpan.FromSeconds(await session.ScalarAsync<int>(Count, cancellationToken, Parameters([($"invitation {organization}", mostPerDay)], InvitationWindow)));

    private async Task<TimeSpan> Take((string Subject, int Limit)[] counted, TimeSpan window, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Count);
        command.Parameters.AddRange(Parameters(counted, window));
        return TimeSpan.FromSeconds((int)(await command.ExecuteScalarAsync(cancellationToken))!);
    }

    private static NpgsqlParameter[] Parameters((string Subject, int Limit)[] counted, TimeSpan window) =>
    [
        new() { Value = counted.Select(entry => SHA256.HashData(Encoding.UTF8.GetBytes(entry.Subject))).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea },
        new() { Value = counted.Select(entry => entry.Limit).ToArray() },
        new() { Value = window },
    ];
}
