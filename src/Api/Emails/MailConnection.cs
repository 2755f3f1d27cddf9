using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace AgentPlatform.Api.Emails;

/// <summary>A conversation with the mail server, over which several e-mails go: begun with the first, and again after it broke off.</summary>
internal sealed partial class MailConnection(MailOptions options, MailTokens? tokens, RemoteCertificateValidationCallback? trust, TimeProvider clock) : IAsyncDisposable
{
    /// <summary>How long the server may take to say good-bye.</summary>
    private static readonly TimeSpan GoodBye = TimeSpan.FromSeconds(5);

    private static readonly ParserOptions Recipients = new() { AddressParserComplianceMode = RfcComplianceMode.Looser, AllowAddressesWithoutDomain = false };

    private SmtpClient? _client;
    private bool _offersUtf8;

    /// <summary>Hands one e-mail over; when this returns, the server has it, and this is what it said.</summary>
    /// <exception cref="MailFailedException">The server didn't take it.</exception>
    public async Task<string> Send(Mail mail, CancellationToken cancellationToken)
    {
        // Addresses are held to stricter rules where they are given. Here all that was ever taken is tried, but nothing that is more than an address.
        if (!MailboxAddress.TryParse(Recipients, mail.To, out var to) || to.Address != mail.To)
        {
            throw new MailFailedException("The address can't be written to.", MailFailureKind.Final);
        }
        var from = options.Sender;
        using var timeout = new CancellationTokenSource(options.Timeout, clock);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            var needsUtf8 = !Ascii.IsValid(to.LocalPart) || !Ascii.IsValid(from.LocalPart);
            var client = await Connected(needsUtf8, patience.Token);
            var takesEightBits = client.Capabilities.HasFlag(SmtpCapabilities.EightBitMime);
            if (needsUtf8 && !(_offersUtf8 && takesEightBits))
            {
                throw new MailFailedException("The address has other letters than ASCII before its @, and the mail server offers no SMTPUTF8, which they need.", MailFailureKind.Final);
            }
            if (!needsUtf8)
            {
                // A message under SMTPUTF8 is for servers with SMTPUTF8 alone, on its whole way. Domains have an ASCII form that all take.
                client.Capabilities &= ~SmtpCapabilities.UTF8;
            }
            var format = FormatOptions.Default.Clone();
            format.International = needsUtf8;
            var message = MailMessages.Compose(mail, from, to, takesEightBits, clock.GetUtcNow());
            return $"250 {MailFailedException.OneLine(await client.SendAsync(format, message, from, [to], patience.Token))}";
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            Drop();
            throw new MailFailedException($"The mail server didn't answer within SMTP_TIMEOUT_SECONDS ({options.Timeout.TotalSeconds:0}).", MailFailureKind.NoConnection, late);
        }
        catch (SmtpCommandException refused)
        {
            throw new MailFailedException($"{(int)refused.StatusCode} {refused.Message}", KindOf(refused), refused);
        }
        catch (ServiceNotAuthenticatedException refused)
        {
            throw new MailFailedException($"530 {refused.Message} (SMTP_USER signs in)", MailFailureKind.Passing, refused);
        }
        catch (Exception broken) when (broken is IOException or ProtocolException or SocketException && broken is not MailFailedException)
        {
            Drop();
            throw new MailFailedException($"The connection to the mail server broke off: {broken.Message}", MailFailureKind.Passing, broken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is { IsConnected: true } client)
        {
            using var timeout = new CancellationTokenSource(GoodBye, clock);
            try
            {
                await client.DisconnectAsync(quit: true, timeout.Token);
            }
            catch (Exception unheard) when (unheard is IOException or ProtocolException or SocketException or OperationCanceledException)
            {
                // Whether the good-bye is heard doesn't matter: what was sent was answered.
                Drop();
                return;
            }
        }
        Drop();
    }

    /// <summary>The present connection, or another one where that one is over, or was told to do without SMTPUTF8.</summary>
    private async Task<SmtpClient> Connected(bool needsUtf8, CancellationToken cancellationToken)
    {
        if (_client is { IsConnected: true } present && (!needsUtf8 || !_offersUtf8 || present.Capabilities.HasFlag(SmtpCapabilities.UTF8)))
        {
            return present;
        }
        await DisposeAsync();
        _client = new SmtpClient
        {
            LocalDomain = options.EhloName,
            Timeout = (int)options.Timeout.TotalMilliseconds,
            ServerCertificateValidationCallback = trust,
            // As everywhere else here: the name, the chain and the dates. Lists of revoked certificates are seldom within a server's reach.
            CheckCertificateRevocation = false,
        };
        try
        {
            await _client.ConnectAsync(options.Host!, options.Port, Security(), cancellationToken);
            _offersUtf8 = _client.Capabilities.HasFlag(SmtpCapabilities.UTF8);
            await new MailSignIn(options, tokens).Run(_client, cancellationToken);
            return _client;
        }
        catch (Exception failure) when (Explained(failure) is { } reason)
        {
            Drop();
            throw new MailFailedException(reason, MailFailureKind.NoConnection, failure);
        }
    }

    private SecureSocketOptions Security() => options.Tls switch
    {
        MailTls.Implicit => SecureSocketOptions.SslOnConnect,
        MailTls.None => SecureSocketOptions.None,
        _ => SecureSocketOptions.StartTls,
    };

    /// <summary>Why there is no connection; null for what has nothing to do with the server.</summary>
    private string? Explained(Exception failure) => failure switch
    {
        MailFailedException known => known.Message,
        NotSupportedException => "The mail server offers no STARTTLS: set SMTP_TLS to implicit, or to none for a server on the same machine.",
        SslHandshakeException handshake => $"TLS with the mail server failed: {(handshake.InnerException ?? handshake).Message}",
        SmtpCommandException refused => $"{(int)refused.StatusCode} {refused.Message}",
        AuthenticationException unclear => $"The mail server can't tell now whether it takes the sign-in of SMTP_USER: {unclear.Message}",
        SocketException or IOException or ProtocolException or TimeoutException => $"No connection to the mail server at {options.Host}:{options.Port}: {failure.Message}",
        _ => null,
    };

    /// <summary>
    /// A reply of 5xx is the last word about this e-mail, unless it is about who sends it, for that is the same for all e-mails and lies in the settings, or its enhanced code says that
    /// it passes (RFC 3463), as some say who limit their senders.
    /// </summary>
    private static MailFailureKind KindOf(SmtpCommandException refused) =>
        (int)refused.StatusCode < 500 || Passing().IsMatch(refused.Message) || (refused.ErrorCode == SmtpErrorCode.SenderNotAccepted && refused.StatusCode != SmtpStatusCode.ExceededStorageAllocation)
            ? MailFailureKind.Passing
            : MailFailureKind.Final;

    private void Drop()
    {
        _client?.Dispose();
        _client = null;
    }

    [GeneratedRegex(@"^\s*4\.\d{1,3}\.\d{1,3}\b", RegexOptions.CultureInvariant)]
    private static partial Regex Passing();
}
