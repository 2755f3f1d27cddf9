using System.Net.Mail;
using System.Security.Authentication;
using AgentPlatform.Api.Auth;
using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Connections;
using Npgsql;

namespace AgentPlatform.Api.Notifications;

/// <summary>
/// Sends what waits in the outbox: at least once each, since a process may end after the server took an e-mail and before that is written. Each process takes
/// its share; one that ended leaves its share to the others when the lease is over.
/// </summary>
internal sealed partial class MailSender(
    ApiDataSource database, MailOptions options, AccountOptions accounts, AccountLinks links, ConfigurationChanges changes, TimeProvider clock, ILogger<MailSender> logger) : BackgroundService
{
    /// <summary>How often it looks without being told.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    /// <summary>Most e-mails taken at once.</summary>
    public const int BatchSize = 10;

    /// <summary>The first pause after a failure; it doubles up to <see cref="LongestPause"/>.</summary>
    public static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(15);

    /// <summary>The longest pause between two tries of one e-mail.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    private static readonly System.Buffers.SearchValues<char> NotInAddresses = System.Buffers.SearchValues.Create("<>()[]\\,;:\" \t\r\n\0");

    private readonly SemaphoreSlim _news = new(0, 1);

    /// <summary>How servers' certificates are judged, where not as usual: for tests with a server of their own.</summary>
    internal System.Net.Security.RemoteCertificateValidationCallback? Trust { get; set; }

    /// <summary>Sends what is due; returns how many were tried.</summary>
    public async Task<int> SendDue(CancellationToken cancellationToken)
    {
        var due = await Claim(cancellationToken);
        foreach (var email in due)
        {
            var (outcome, error) = await Try(email, cancellationToken);
            await Settle(email, outcome, error, cancellationToken);
        }
        return due.Count;
    }

    /// <summary>The pause after so many tries.</summary>
    public static TimeSpan PauseAfter(int attempts) =>
        ShortestPause * Math.Pow(2, Math.Clamp(attempts - 1, 0, 20)) is var pause && pause < LongestPause ? pause : LongestPause;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.IsConfigured)
        {
            return;
        }
        using var subscription = changes.Subscribe(change =>
        {
            if ((change.IsEverything || change.Table == "outgoing_emails") && _news.CurrentCount == 0)
            {
                Wake();
            }
        });
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                while (await SendDue(stoppingToken) == BatchSize)
                {
                }
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
            {
                LogPostponed(failure.GetType().Name);
            }
            await Rest(stoppingToken);
        }
    }

    private void Wake()
    {
        try
        {
            _news.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake already.
            return;
        }
    }

    private async Task Rest(CancellationToken stoppingToken)
    {
        using var rested = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        using var timer = clock.CreateTimer(static state => ((CancellationTokenSource)state!).Cancel(), rested, Period, Timeout.InfiniteTimeSpan);
        try
        {
            await _news.WaitAsync(rested.Token);
        }
        catch (OperationCanceledException)
        {
            // Time to look without being told, or to stop.
            return;
        }
    }

    private async Task<(string Outcome, string? Error)> Try(OutgoingEmail email, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(options.Timeout);
        try
        {
            if (await Compose(email, cancellationToken) is not { } mail)
            {
                return ("dropped", "Nobody to send it to any more.");
            }
            // An address is written into commands and headers as it is: nothing in it may end them.
            if (mail.To.AsSpan().ContainsAny(NotInAddresses))
            {
                return ("failed", "The address can't be written to.");
            }
            var from = new MailAddress(options.From);
            await using var connection = await SmtpConnection.Open(options, Trust, timeout.Token);
            await connection.Send(from.Address, mail.To, MailMessageText.Write(mail, from, clock.GetUtcNow()), timeout.Token);
            await connection.Quit(timeout.Token);
            return ("sent", null);
        }
        catch (SmtpRefusedException refused) when (refused.IsFinal)
        {
            LogRefused(email.Id, refused.Message);
            return ("failed", refused.Message);
        }
        catch (Exception failure) when (failure is IOException or System.Net.Sockets.SocketException or AuthenticationException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            LogTryAgain(email.Id, email.Attempts, failure.Message);
            return ("pending", failure.Message);
        }
    }

    /// <summary>The e-mail's text as it is now; null when there is nothing left to say. A link's token is made here, so that the outbox holds none.</summary>
    private async Task<Mail?> Compose(OutgoingEmail email, CancellationToken cancellationToken) => email.Kind switch
    {
        "invitation" => await ComposeInvitation(email, cancellationToken),
        "password_reset" => await ComposeReset(email, cancellationToken),
        _ => MailTexts.Notification(email, accounts.ConsoleUrl),
    };

    private async Task<Mail?> ComposeInvitation(OutgoingEmail email, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT organization_name, role, token_hash, inviter FROM invitation_for_email($1)");
        command.Parameters.Add(new() { Value = email.EntityId!.Value });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) && links.Invitations.MakeAgain(email.EntityId.Value, row.GetFieldValue<byte[]>(2)) is { } token
            ? MailTexts.Invitation(email, row.GetString(0), row.GetString(1), row.IsDBNull(3) ? null : row.GetString(3), links.Invitation(token, null))
            : null;
    }

    private async Task<Mail?> ComposeReset(OutgoingEmail email, CancellationToken cancellationToken)
    {
        var reset = Data.Uuid.New(clock);
        var token = links.Resets.Make(reset);
        await using var command = database.CreateCommand("SELECT open_password_reset($1, $2, $3, $4)");
        command.Parameters.Add(new() { Value = reset });
        command.Parameters.Add(new() { Value = email.To });
        command.Parameters.Add(new() { Value = LinkTokens.Hash(token) });
        command.Parameters.Add(new() { Value = clock.GetUtcNow() + accounts.ResetLifetime });
        return await command.ExecuteScalarAsync(cancellationToken) is string name ? MailTexts.Reset(email, name, links.Reset(token), accounts.ResetLifetime) : null;
    }

    private async Task<List<OutgoingEmail>> Claim(CancellationToken cancellationToken)
    {
        var due = new List<OutgoingEmail>();
        await using var command = database.CreateCommand("SELECT id, kind, to_address, subject, body, entity_id, attempts, locale, text_name, text_values FROM claim_emails($1, $2)");
        command.Parameters.Add(new() { Value = BatchSize });
        // Longer than a whole batch can take.
        command.Parameters.Add(new() { Value = options.Timeout * (BatchSize + 2) });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            due.Add(new(
                row.GetGuid(0), row.GetString(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3), row.IsDBNull(4) ? null : row.GetString(4),
                row.IsDBNull(5) ? null : row.GetGuid(5), row.GetInt32(6), row.GetString(7))
            {
                TextName = row.IsDBNull(8) ? null : row.GetString(8),
                TextValues = row.IsDBNull(9) ? null : row.GetFieldValue<string?[]>(9),
            });
        }
        return due;
    }

    private async Task Settle(OutgoingEmail email, string outcome, string? error, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT settle_email($1, $2, $3, $4)");
        command.Parameters.Add(new() { Value = email.Id });
        command.Parameters.Add(new() { Value = outcome });
        command.Parameters.Add(SignUpEndpoints.OptionalText(error?.Replace("\0", "", StringComparison.Ordinal)));
        command.Parameters.Add(new() { Value = PauseAfter(email.Attempts) });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _news.Dispose();
        base.Dispose();
    }

    [LoggerMessage(4103, LogLevel.Warning, "Sending e-mail is postponed: {Failure}")]
    private partial void LogPostponed(string failure);

    [LoggerMessage(4104, LogLevel.Warning, "The mail server refused e-mail {EmailId} for good: {Reason}")]
    private partial void LogRefused(Guid emailId, string reason);

    [LoggerMessage(4105, LogLevel.Warning, "E-mail {EmailId} was not sent at try {Attempt}; it is tried again: {Reason}")]
    private partial void LogTryAgain(Guid emailId, int attempt, string reason);
}

/// <summary>A row of the outbox.</summary>
internal sealed record OutgoingEmail(Guid Id, string Kind, string To, string? Subject, string? Body, Guid? EntityId, int Attempts, string Locale)
{
    /// <summary>A notification's text (<see cref="ReaderLanguage.Titles"/>); null where the subject stands for itself.</summary>
    public string? TextName { get; init; }

    public string?[]? TextValues { get; init; }
}
