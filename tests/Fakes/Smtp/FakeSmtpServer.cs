using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;

namespace AgentPlatform.Fakes.Smtp;

/// <summary>
/// A mail server as RFC 5321 has it, and strict: lines end with CR LF and have at most 998 octets, commands come in order, nothing but ASCII where nothing else was agreed upon
/// (8BITMIME, SMTPUTF8), no parameter that it didn't offer, and nothing but EHLO and STARTTLS before TLS where it asks for TLS. What breaks a rule is answered with 5xx and noted in
/// <see cref="Violations"/>.
/// </summary>
public sealed class FakeSmtpServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopped = new();
    private readonly Channel<ReceivedMail> _received = Channel.CreateUnbounded<ReceivedMail>();
    private readonly ConcurrentQueue<SmtpFault> _faults = new();
    private readonly ConcurrentQueue<string> _violations = new();
    private readonly ConcurrentQueue<string> _signIns = new();
    private readonly ConcurrentDictionary<string, bool> _greylisted = new();
    private readonly Task _accepting;
    private int _connections;

    private FakeSmtpServer(SmtpServerOptions options)
    {
        Options = options;
        _listener.Start();
        _accepting = Accept();
    }

    /// <summary>How it behaves towards the next connection.</summary>
    public SmtpServerOptions Options { get; set; }

    /// <summary>Where it listens, on 127.0.0.1.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What clients did wrong.</summary>
    public IReadOnlyCollection<string> Violations => _violations;

    /// <summary>By which mechanisms clients tried to sign in, in their order.</summary>
    public IReadOnlyCollection<string> SignIns => _signIns;

    /// <summary>How often somebody connected.</summary>
    public int Connections => _connections;

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

    internal SmtpFault? TakeFault(string command) => _faults.TryPeek(out var fault) && fault.Command == command && _faults.TryDequeue(out fault) ? fault : null;

    internal void Note(string violation) => _violations.Enqueue(violation);

    internal void NoteSignIn(string mechanism) => _signIns.Enqueue(mechanism);

    internal bool IsNewToGreylist(string recipient) => Options.Greylists && _greylisted.TryAdd(recipient, true);

    internal ValueTask Take(ReceivedMail mail, CancellationToken cancellationToken) => _received.Writer.WriteAsync(mail, cancellationToken);

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
            Interlocked.Increment(ref _connections);
            _ = Serve(client);
        }
    }

    private async Task Serve(TcpClient client)
    {
        using (client)
        {
            try
            {
                await new SmtpSession(this, client.GetStream()).Run(_stopped.Token);
            }
            catch (Exception end) when (end is IOException or OperationCanceledException or SocketException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
            {
                // The client left, or doesn't trust the certificate.
                return;
            }
        }
    }

    private static X509Certificate2 MakeCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }
}
