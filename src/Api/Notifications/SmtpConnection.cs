using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Notifications;

/// <summary>A mail server's refusal.</summary>
/// <param name="code">Its reply code; 5xx means never, 4xx later.</param>
/// <param name="message">What it said.</param>
/// <param name="isAboutMail">Whether it refused this e-mail, and not the connection or the sign-in: only then is 5xx final.</param>
internal sealed class SmtpRefusedException(int code, string message, bool isAboutMail) : IOException($"The mail server answered {code}: {message}")
{
    /// <summary>Trying again can't help.</summary>
    public bool IsFinal { get; } = isAboutMail && code >= 500;
}

/// <summary>One conversation with a mail server (RFC 5321, 3207, 4954), line by line.</summary>
internal sealed class SmtpConnection : IAsyncDisposable
{
    /// <summary>Longest line that a server may answer.</summary>
    public const int MaxLineLength = 2048;

    /// <summary>Most lines of one answer.</summary>
    public const int MaxLines = 100;

    private readonly TcpClient _client = new();
    private readonly MailOptions _options;
    private readonly RemoteCertificateValidationCallback? _trust;
    private readonly byte[] _buffer = new byte[MaxLineLength];
    private Stream _stream = Stream.Null;
    private int _buffered;
    private HashSet<string> _extensions = [];

    private SmtpConnection(MailOptions options, RemoteCertificateValidationCallback? trust)
    {
        _options = options;
        _trust = trust;
    }

    /// <summary>Connects, makes the connection safe, and signs in.</summary>
    public static async Task<SmtpConnection> Open(MailOptions options, RemoteCertificateValidationCallback? trust, CancellationToken cancellationToken)
    {
        var connection = new SmtpConnection(options, trust);
        try
        {
            await connection.Begin(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Hands one e-mail over; when this returns, the server has it.</summary>
    public async Task Send(string from, string to, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        await Command($"MAIL FROM:<{from}>", 250, true, cancellationToken);
        await Command($"RCPT TO:<{EmailAddress.ForMail(to)}>", 250, true, cancellationToken);
        await Command("DATA", 354, true, cancellationToken);
        await _stream.WriteAsync(message, cancellationToken);
        await Command(".", 250, true, cancellationToken);
    }

    /// <summary>Says good-bye; whether it is heard doesn't matter.</summary>
    public async Task Quit(CancellationToken cancellationToken) => await Write("QUIT", cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _client.Dispose();
    }

    private async Task Begin(CancellationToken cancellationToken)
    {
        await _client.ConnectAsync(_options.Host!, _options.Port, cancellationToken);
        _stream = _client.GetStream();
        if (_options.Tls == MailTls.Implicit)
        {
            await Secure(cancellationToken);
        }
        await Expect(220, false, cancellationToken);
        await Hello(cancellationToken);
        if (_options.Tls == MailTls.StartTls)
        {
            if (!_extensions.Contains("STARTTLS"))
            {
                throw new SmtpRefusedException(502, "it offers no STARTTLS; set SMTP_TLS to implicit, or to none for a server on the same machine.", false);
            }
            await Command("STARTTLS", 220, false, cancellationToken);
            // Whatever came in the clear after this line was put there by somebody in between.
            if (_buffered > 0)
            {
                throw new SmtpRefusedException(502, "it sent more in the clear after STARTTLS.", false);
            }
            await Secure(cancellationToken);
            await Hello(cancellationToken);
        }
        if (_options.User is { } user)
        {
            var secret = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{_options.Password}"));
            await Command($"AUTH PLAIN {secret}", 235, false, cancellationToken);
        }
    }

    private async Task Secure(CancellationToken cancellationToken)
    {
        var tls = new SslStream(_stream, leaveInnerStreamOpen: false, _trust);
        _stream = tls;
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = _options.Host }, cancellationToken);
    }

    private async Task Hello(CancellationToken cancellationToken)
    {
        var name = _client.Client.LocalEndPoint is System.Net.IPEndPoint { Address: var address }
            ? address.AddressFamily == AddressFamily.InterNetworkV6 && !address.IsIPv4MappedToIPv6 ? $"[IPv6:{address}]" : $"[{address.MapToIPv4()}]"
            : "[127.0.0.1]";
        var lines = await Command($"EHLO {name}", 250, false, cancellationToken);
        _extensions = lines.Skip(1).Select(line => line.Split(' ')[0].ToUpperInvariant()).ToHashSet(StringComparer.Ordinal);
    }

    private async Task<IReadOnlyList<string>> Command(string line, int expected, bool isAboutMail, CancellationToken cancellationToken)
    {
        await Write(line, cancellationToken);
        return await Expect(expected, isAboutMail, cancellationToken);
    }

    private async Task Write(string line, CancellationToken cancellationToken)
    {
        if (line.AsSpan().ContainsAny('\r', '\n'))
        {
            throw new ArgumentException("A line can't hold another.", nameof(line));
        }
        await _stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\r\n"), cancellationToken);
        await _stream.FlushAsync(cancellationToken);
    }

    private async Task<IReadOnlyList<string>> Expect(int expected, bool isAboutMail, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        while (true)
        {
            var line = await ReadLine(cancellationToken);
            if (line.Length < 3 || !int.TryParse(line.AsSpan(0, 3), System.Globalization.NumberStyles.None, null, out var code) || lines.Count >= MaxLines)
            {
                throw new IOException("The mail server's answer is not SMTP.");
            }
            lines.Add(line.Length > 4 ? line[4..] : "");
            if (line.Length > 3 && line[3] == '-')
            {
                continue;
            }
            return code == expected || (expected == 250 && code == 251) ? lines : throw new SmtpRefusedException(code, string.Join(' ', lines), isAboutMail);
        }
    }

    private async Task<string> ReadLine(CancellationToken cancellationToken)
    {
        while (true)
        {
            var end = _buffer.AsSpan(0, _buffered).IndexOf((byte)'\n');
            if (end >= 0)
            {
                var line = Encoding.UTF8.GetString(_buffer, 0, end).TrimEnd('\r');
                _buffered -= end + 1;
                _buffer.AsSpan(end + 1, _buffered).CopyTo(_buffer);
                return line;
            }
            if (_buffered == _buffer.Length)
            {
                throw new IOException($"The mail server's answer has a line of over {MaxLineLength} bytes.");
            }
            var read = await _stream.ReadAsync(_buffer.AsMemory(_buffered), cancellationToken);
            if (read == 0)
            {
                throw new IOException("The mail server closed the connection.");
            }
            _buffered += read;
        }
    }
}
