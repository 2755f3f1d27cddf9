using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading.Channels;

namespace AgentPlatform.Fakes.Smtp;

/// <summary>Something that goes wrong with one command.</summary>
/// <param name="Command">The command's first word, or <c>BODY</c> for the end of the data.</param>
/// <param name="Reply">What is answered instead; null to close the connection.</param>
/// <param name="Accept">Whether an e-mail counts as taken all the same.</param>
public sealed record SmtpFault(string Command, string? Reply, bool Accept = false);

/// <summary>
/// A mail server as RFC 5321 has it, and strict: lines end with CR LF and have at most 998 bytes, commands come in order, nothing but ASCII without SMTPUTF8, and nothing but
/// EHLO and STARTTLS before TLS where it asks for TLS. What breaks a rule is answered with 5xx and noted in <see cref="Violations"/>.
/// </summary>
public sealed class FakeSmtpServer : IAsyncDisposable
{
    private const int MaxLine = 998;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopped = new();
    private readonly Channel<ReceivedMail> _received = Channel.CreateUnbounded<ReceivedMail>();
    private readonly ConcurrentQueue<SmtpFault> _faults = new();
    private readonly ConcurrentQueue<string> _violations = new();
    private readonly SmtpServerOptions _options;
    private readonly Task _accepting;

    private FakeSmtpServer(SmtpServerOptions options)
    {
        _options = options;
        _listener.Start();
        _accepting = Accept();
    }

    /// <summary>Where it listens, on 127.0.0.1.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What clients did wrong.</summary>
    public IReadOnlyCollection<string> Violations => _violations;

    /// <summary>Its certificate, signed by itself.</summary>
    public X509Certificate2 Certificate { get; } = MakeCertificate();

    public static FakeSmtpServer Start(SmtpServerOptions? options = null) => new(options ?? new());

    /// <summary>Happens to the next command of its name.</summary>
    public void Next(SmtpFault fault) => _faults.Enqueue(fault);

    /// <summary>The next e-mail that it took.</summary>
    public ValueTask<ReceivedMail> NextMail(CancellationToken cancellationToken) => _received.Reader.ReadAsync(cancellationToken);

    /// <summary>Whether an e-mail waits to be looked at.</summary>
    public bool HasMail => _received.Reader.TryPeek(out _);

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stopped.Dispose();
        Certificate.Dispose();
    }

    private async Task Accept()
    {
        while (!_stopped.IsCancellationRequested)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync(_stopped.Token);
            }
            catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
            _ = Serve(client);
        }
    }

    private async Task Serve(TcpClient client)
    {
        using (client)
        {
            try
            {
                var session = new Session(this, client.GetStream());
                await session.Run(_stopped.Token);
            }
            catch (Exception end) when (end is IOException or OperationCanceledException or SocketException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
            {
                // The client left, or doesn't trust the certificate.
                return;
            }
        }
    }

    private SmtpFault? TakeFault(string command) => _faults.TryPeek(out var fault) && fault.Command == command && _faults.TryDequeue(out fault) ? fault : null;

    private static X509Certificate2 MakeCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }

    private sealed class Session(FakeSmtpServer server, Stream stream)
    {
        private readonly byte[] _one = new byte[1];
        private Stream _stream = stream;
        private bool _isSecure;
        private bool _isGreeted;
        private bool _isSignedIn;
        private string? _from;
        private readonly List<string> _to = [];

        public async Task Run(CancellationToken cancellationToken)
        {
            if (server._options.Tls == SmtpServerTls.Implicit)
            {
                await Secure(cancellationToken);
            }
            await Reply("220 mail.example.com ready", cancellationToken);
            while (await ReadLine(cancellationToken) is { } line)
            {
                var command = line.Split(' ', ':')[0].ToUpperInvariant();
                if (server.TakeFault(command) is { } fault)
                {
                    if (fault.Reply is null)
                    {
                        return;
                    }
                    await Reply(fault.Reply, cancellationToken);
                    continue;
                }
                if (command == "QUIT")
                {
                    await Reply("221 bye", cancellationToken);
                    return;
                }
                if (!await Handle(command, line, cancellationToken))
                {
                    return;
                }
            }
        }

        private async Task<bool> Handle(string command, string line, CancellationToken cancellationToken)
        {
            var options = server._options;
            switch (command)
            {
                case "EHLO" when line.Length > 5:
                    _isGreeted = true;
                    List<string> said = ["mail.example.com"];
                    if (options.Tls == SmtpServerTls.StartTls && !_isSecure)
                    {
                        said.Add("STARTTLS");
                    }
                    if (options.User is not null && (_isSecure || options.Tls == SmtpServerTls.None))
                    {
                        said.Add("AUTH PLAIN LOGIN");
                    }
                    said.Add("SIZE 1000000");
                    await Reply(string.Join("\r\n", said.Select((text, index) => $"250{(index == said.Count - 1 ? ' ' : '-')}{text}")), cancellationToken);
                    return true;
                case "STARTTLS" when options.Tls == SmtpServerTls.StartTls && !_isSecure && _isGreeted:
                    await Reply("220 go ahead", cancellationToken);
                    await Secure(cancellationToken);
                    _isGreeted = false;
                    return true;
                case not ("EHLO" or "STARTTLS") when options.Tls != SmtpServerTls.None && !_isSecure:
                    return await Refuse("530 Must issue a STARTTLS command first", $"{command} before TLS", cancellationToken);
                case "AUTH" when options.User is not null && _isGreeted && line.Split(' ') is [_, "PLAIN", var secret]:
                    _isSignedIn = Encoding.UTF8.GetString(Convert.FromBase64String(secret)) == $"\0{options.User}\0{options.Password}";
                    await Reply(_isSignedIn ? "235 welcome" : "535 Authentication credentials invalid", cancellationToken);
                    return true;
                case "MAIL" when options.User is not null && !_isSignedIn:
                    return await Refuse("530 Authentication required", "MAIL before AUTH", cancellationToken);
                case "MAIL" when _isGreeted && _from is null && Address(line, "MAIL FROM:<") is { } from:
                    _from = from;
                    await Reply("250 ok", cancellationToken);
                    return true;
                case "RCPT" when _from is not null && Address(line, "RCPT TO:<") is { } to:
                    _to.Add(to);
                    await Reply("250 ok", cancellationToken);
                    return true;
                case "DATA" when _to.Count > 0 && line == "DATA":
                    await Reply("354 end with a dot", cancellationToken);
                    return await TakeBody(cancellationToken);
                default:
                    return await Refuse("503 Bad sequence of commands", $"out of order or malformed: {line}", cancellationToken);
            }
        }

        private async Task<bool> TakeBody(CancellationToken cancellationToken)
        {
            var lines = new List<string>();
            while (await ReadLine(cancellationToken) is { } line && line != ".")
            {
                lines.Add(line.StartsWith("..", StringComparison.Ordinal) ? line[1..] : line);
            }
            var mail = ReceivedMail.Parse(_from!, [.. _to], lines, server._violations.Enqueue);
            (_from, _) = (null, _to.RemoveAll(_ => true));
            var fault = server.TakeFault("BODY");
            if (fault is null || fault.Accept)
            {
                await server._received.Writer.WriteAsync(mail, cancellationToken);
            }
            if (fault is { Reply: null })
            {
                return false;
            }
            await Reply(fault?.Reply ?? "250 queued", cancellationToken);
            return true;
        }

        /// <summary>The address between the brackets; null for a line that isn't exactly that.</summary>
        private static string? Address(string line, string start) =>
            line.StartsWith(start, StringComparison.Ordinal) && line.EndsWith('>') && line[start.Length..^1] is var address
            && address.Count('@') == 1 && !address.AsSpan().ContainsAny("<> ,;:\"")
                ? address
                : null;

        private async Task<bool> Refuse(string reply, string violation, CancellationToken cancellationToken)
        {
            server._violations.Enqueue(violation);
            await Reply(reply, cancellationToken);
            return true;
        }

        private async Task Reply(string text, CancellationToken cancellationToken) => await _stream.WriteAsync(Encoding.ASCII.GetBytes(text + "\r\n"), cancellationToken);

        private async Task<string?> ReadLine(CancellationToken cancellationToken)
        {
            var bytes = new List<byte>();
            while (await _stream.ReadAsync(_one, cancellationToken) == 1)
            {
                if (_one[0] == '\n')
                {
                    if (bytes.Count == 0 || bytes[^1] != '\r')
                    {
                        server._violations.Enqueue("a line that ends without CR");
                    }
                    var line = Encoding.Latin1.GetString([.. bytes]).TrimEnd('\r');
                    if (line.Any(character => character > '~' || (character < ' ' && character != '\t')))
                    {
                        server._violations.Enqueue($"a line that is not ASCII: {line}");
                    }
                    return line;
                }
                bytes.Add(_one[0]);
                if (bytes.Count > MaxLine + 1)
                {
                    server._violations.Enqueue($"a line of over {MaxLine} bytes");
                    return null;
                }
            }
            return null;
        }

        private async Task Secure(CancellationToken cancellationToken)
        {
            var tls = new SslStream(_stream);
            await tls.AuthenticateAsServerAsync(server.Certificate, clientCertificateRequired: false, checkCertificateRevocation: false).WaitAsync(cancellationToken);
            _stream = tls;
            _isSecure = true;
        }
    }
}

/// <summary>How the server is set up.</summary>
public sealed record SmtpServerOptions(SmtpServerTls Tls = SmtpServerTls.None, string? User = null, string? Password = null);

/// <summary>What the server asks for.</summary>
public enum SmtpServerTls
{
    /// <summary>Nothing, and offers nothing.</summary>
    None,

    /// <summary>STARTTLS before anything else.</summary>
    StartTls,

    /// <summary>TLS from the first byte.</summary>
    Implicit,
}
