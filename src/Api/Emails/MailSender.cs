using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Notifications;
using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Connections;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Emails;

/// <summary>
/// Sends what waits in the outbox: at least once each, since a process may end after the server took an e-mail and before that is written. Each process takes
/// its share; one that ended leaves its share to the others when the lease is over.
/// </summary>
internal sealed partial class MailSender(
    ApiDataSource database, MailOptions options, MailServer server, AccountOptions accounts, AccountLinks links, ConfigurationChanges changes, TimeProvider clock, ILogger<MailSender> logger)
    : BackgroundService
{
    /// <summary>How often it looks without being told.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    /// <summary>Most e-mails taken at once.</summary>
    public const int BatchSize = 10;

    private readonly SemaphoreSlim _news = new(0, 1);

    /// <summary>How long what was taken is left alone by others: longer than a whole batch takes.</summary>
    private TimeSpan Lease => options.Timeout * (BatchSize + 2);

    /// <summary>Sends some of what is due; returns how many were taken, and whether the server could be reached.</summary>
    public async Task<(int Taken, bool IsReachable)> SendDue(CancellationToken cancellationToken)
    {
        await using var connection = server.Connect();
        return await SendDue(connection, cancellationToken);
    }

    /// <summary>The pause after so many tries.</summary>
    public TimeSpan PauseAfter(int attempts) =>
        options.FirstRetry * Math.Pow(2, Math.Clamp(attempts - 1, 0, 20)) is var pause && pause < options.LongestRetry ? pause : options.LongestRetry;

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
            var isReachable = true;
            try
            {
                await using var connection = server.Connect();
                int taken;
                do
                {
                    (taken, isReachable) = await SendDue(connection, stoppingToken);
                }
                while (taken == BatchSize && isReachable);
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
            {
                LogPostponed(failure.GetType().Name);
            }
            await Rest(mayBeWoken: isReachable, stoppingToken);
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

    /// <summary>Until there is news or it is time to look. While the server can't be reached, or refuses the sign-in, news doesn't help: not every new e-mail knocks at its door.</summary>
    private async Task Rest(bool mayBeWoken, CancellationToken stoppingToken)
    {
        using var rested = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        using var timer = clock.CreateTimer(static state => ((CancellationTokenSource)state!).Cancel(), rested, Period, Timeout.InfiniteTimeSpan);
        try
        {
            await (mayBeWoken ? _news.WaitAsync(rested.Token) : Task.Delay(Timeout.Infinite, rested.Token));
        }
        catch (OperationCanceledException)
        {
            // Time to look without being told, or to stop.
            return;
        }
    }

    private async Task<(int Taken, bool IsReachable)> SendDue(MailConnection connection, CancellationToken cancellationToken)
    {
        var since = clock.GetTimestamp();
        var due = await Claim(cancellationToken);
        string? unreachable = null;
        foreach (var email in due.TakeWhile(_ => clock.GetElapsedTime(since) < Lease - (options.Timeout * 2)))
        {
            if (unreachable is not null)
            {
                await Settle(email, "pending", unreachable, cancellationToken);
                continue;
            }
            try
            {
                var mail = await Compose(email, cancellationToken);
                await Settle(email, mail is null ? "dropped" : "sent", mail is null ? "Nobody to send it to any more." : await connection.Send(mail, cancellationToken), cancellationToken);
            }
            catch (MailFailedException failure) when (failure.Kind == MailFailureKind.Final)
            {
                LogRefused(email.Id, failure.Message);
                await Settle(email, "failed", failure.Message, cancellationToken);
            }
            catch (MailFailedException failure)
            {
                LogTryAgain(email.Id, email.Attempts, failure.Message);
                await Settle(email, "pending", failure.Message, cancellationToken);
                unreachable = failure.Kind == MailFailureKind.NoConnection ? failure.Message : null;
            }
        }
        return (due.Count, unreachable is null);
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
        await using var command = database.CreateCommand("SELECT organization_name, role, token_hash, inviter, inviter_email FROM invitation_for_email($1)");
        command.Parameters.Add(new() { Value = email.EntityId!.Value });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) && links.Invitations.MakeAgain(email.EntityId.Value, row.GetFieldValue<byte[]>(2)) is { } token
            ? MailTexts.Invitation(email, row.GetString(0), row.GetString(1), row.IsDBNull(3) ? null : row.GetString(3), row.IsDBNull(4) ? null : row.GetString(4), links.Invitation(token, null))
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
        await using var command = database.CreateCommand("SELECT id, kind, to_address, subject, body, entity_id, attempts, locale, text_name, text_values FROM claim_emails($1, $2, $3, $4)");
        command.Parameters.Add(new() { Value = BatchSize });
        command.Parameters.Add(new() { Value = Lease });
        command.Parameters.Add(new() { Value = (object?)options.MailsPerMinute ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer });
        command.Parameters.Add(new() { Value = options.AlertsPerDay });
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

    private async Task Settle(OutgoingEmail email, string outcome, string answer, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT settle_email($1, $2, $3, $4, $5)");
        command.Parameters.Add(new() { Value = email.Id });
        command.Parameters.Add(new() { Value = outcome });
        command.Parameters.Add(new() { Value = answer });
        command.Parameters.Add(new() { Value = PauseAfter(email.Attempts) });
        command.Parameters.Add(new() { Value = email.Attempts });
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
