using System.Net.Security;
using System.Text;
using System.Text.RegularExpressions;

namespace AgentPlatform.Fakes.Smtp;

/// <summary>One connection of a client.</summary>
internal sealed partial class SmtpSession(FakeSmtpServer server, Stream stream)
{
    private const int MaxLine = 998;

    private readonly SmtpServerOptions _options = server.Options;
    private readonly byte[] _one = new byte[1];
    private readonly List<string> _to = [];
    private Stream _stream = stream;
    private bool _isSecure;
    private bool _isGreeted;
    private bool _isSignedIn;
    private string? _from;
    private bool _isEightBit;
    private bool _isUtf8;

    public async Task Run(CancellationToken cancellationToken)
    {
        if (_options.Tls == SmtpServerTls.Implicit)
        {
            await Secure(cancellationToken);
        }
        if (server.TakeFault("GREETING") is { } refusal)
        {
            await Fail(refusal, cancellationToken);
            return;
        }
        // In two lines, as many write them.
        await Reply("220-mail.example.com\r\n220 ready", cancellationToken);
        while (await ReadLine(isData: false, cancellationToken) is { } line)
        {
            var command = line.Split(' ', ':')[0].ToUpperInvariant();
            if (server.TakeFault(command) is { } fault)
            {
                if (!await Fail(fault, cancellationToken))
                {
                    return;
                }
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

    private Task<bool> Handle(string command, string line, CancellationToken cancellationToken) => command switch
    {
        "EHLO" => Hello(line, cancellationToken),
        "STARTTLS" when _options.Tls == SmtpServerTls.StartTls && !_isSecure && _isGreeted => StartTls(cancellationToken),
        "NOOP" => Say("250 ok", cancellationToken),
        "RSET" => Reset("250 ok", cancellationToken),
        not "STARTTLS" when _options.Tls != SmtpServerTls.None && !_isSecure => Refuse("530 5.7.0 Must issue a STARTTLS command first", $"{command} before TLS", cancellationToken),
        "AUTH" when _options.User is not null && _isGreeted && !_isSignedIn && _from is null => SignIn(line.Split(' '), cancellationToken),
        "MAIL" when _options.User is not null && !_isSignedIn => Refuse("530 5.7.0 Authentication required", "MAIL before AUTH", cancellationToken),
        "MAIL" when _isGreeted && _from is null && MailLine().Match(line) is { Success: true } mail => Begin(mail, cancellationToken),
        "RCPT" when _from is not null && RcptLine().Match(line) is { Success: true } rcpt => AddRecipient(rcpt.Groups["path"].Value, cancellationToken),
        "DATA" when _to.Count > 0 && line == "DATA" => TakeBody(cancellationToken),
        // A client that sends several commands at once learns of the refusal later.
        "RCPT" or "DATA" when _options.OffersPipelining && _from is null => Say("503 5.5.1 Bad sequence of commands", cancellationToken),
        _ => Refuse("503 5.5.1 Bad sequence of commands", $"out of order or malformed: {line}", cancellationToken),
    };

    private async Task<bool> Hello(string line, CancellationToken cancellationToken)
    {
        if (!HelloLine().IsMatch(line))
        {
            return await Refuse("501 5.5.4 Invalid domain name", $"a greeting without a name: {line}", cancellationToken);
        }
        _isGreeted = true;
        List<string> said = ["mail.example.com"];
        if (_options.Tls == SmtpServerTls.StartTls && !_isSecure)
        {
            said.Add("STARTTLS");
        }
        if (_options.User is not null && (_isSecure || _options.Tls == SmtpServerTls.None) && !_options.Mechanisms.IsEmpty)
        {
            said.Add($"AUTH {string.Join(' ', _options.Mechanisms)}");
        }
        said.AddRange(_options.OffersEightBit ? ["8BITMIME"] : []);
        said.AddRange(_options.OffersUtf8 ? ["SMTPUTF8"] : []);
        said.AddRange(_options.OffersPipelining ? ["PIPELINING"] : []);
        said.Add($"SIZE {_options.MaxSize}");
        return await Say(string.Join("\r\n", said.Select((text, index) => $"250{(index == said.Count - 1 ? ' ' : '-')}{text}")), cancellationToken);
    }

    private async Task<bool> StartTls(CancellationToken cancellationToken)
    {
        await Reply($"220 go ahead{(_options.InjectsAfterStartTls ? "\r\n250 AUTH PLAIN" : "")}", cancellationToken);
        await Secure(cancellationToken);
        _isGreeted = false;
        return true;
    }

    private async Task<bool> SignIn(string[] words, CancellationToken cancellationToken)
    {
        if (words.Length is < 2 or > 3 || !_options.Mechanisms.Contains(words[1]))
        {
            return await Refuse("504 5.5.4 Unrecognized authentication type", $"a sign-in that was not offered: {string.Join(' ', words)}", cancellationToken);
        }
        server.NoteSignIn(words[1]);
        if (_options.Refusals.TryGetValue(words[1], out var refusal) || words[1] is not ("PLAIN" or "LOGIN" or "SCRAM-SHA-256" or "XOAUTH2" or "OAUTHBEARER"))
        {
            return await Say(refusal ?? "504 5.7.4 Unrecognized authentication type", cancellationToken);
        }
        var initial = words is [_, _, var given] ? Decoded(given) : null;
        _isSignedIn = await SmtpSasl.Run(words[1], initial, _options, async challenge =>
        {
            await Reply($"334 {Convert.ToBase64String(challenge)}", cancellationToken);
            return Decoded(await ReadLine(isData: false, cancellationToken) ?? "");
        });
        return await Say(_isSignedIn ? "235 2.7.0 welcome" : "535 5.7.8 Authentication credentials invalid", cancellationToken);
    }

    private async Task<bool> Begin(Match mail, CancellationToken cancellationToken)
    {
        (_isEightBit, _isUtf8) = (false, false);
        foreach (var parameter in mail.Groups["parameter"].Captures.Select(capture => capture.Value.ToUpperInvariant()))
        {
            switch (parameter)
            {
                case "BODY=8BITMIME" when _options.OffersEightBit:
                    _isEightBit = true;
                    break;
                case "SMTPUTF8" when _options.OffersUtf8:
                    _isUtf8 = true;
                    break;
                case "BODY=7BIT" when _options.OffersEightBit:
                    break;
                case not null when parameter.StartsWith("SIZE=", StringComparison.Ordinal) && int.TryParse(parameter.AsSpan(5), null, out var size):
                    if (size > _options.MaxSize)
                    {
                        return await Say("552 5.3.4 Message size exceeds fixed maximum message size", cancellationToken);
                    }
                    break;
                default:
                    return await Refuse("555 5.5.4 Unsupported option", $"a parameter that was not offered: {parameter}", cancellationToken);
            }
        }
        if (!CheckAddress(mail.Groups["path"].Value))
        {
            return await Say("553 5.6.7 An address of other letters than ASCII", cancellationToken);
        }
        _from = mail.Groups["path"].Value;
        return await Say("250 2.1.0 ok", cancellationToken);
    }

    private async Task<bool> AddRecipient(string path, CancellationToken cancellationToken)
    {
        if (!CheckAddress(path))
        {
            return await Say("553 5.6.7 An address of other letters than ASCII", cancellationToken);
        }
        if (server.IsNewToGreylist(path))
        {
            return await Say("451-4.7.1 Greylisting in action\r\n451 4.7.1 Please come back later", cancellationToken);
        }
        _to.Add(path);
        return await Say("250 2.1.5 ok", cancellationToken);
    }

    private async Task<bool> TakeBody(CancellationToken cancellationToken)
    {
        await Reply("354 end with a dot", cancellationToken);
        var lines = new List<string>();
        while (await ReadLine(isData: true, cancellationToken) is { } line && line != ".")
        {
            lines.Add(line.StartsWith("..", StringComparison.Ordinal) ? line[1..] : line);
        }
        var size = lines.Sum(line => Encoding.UTF8.GetByteCount(line) + 2);
        var mail = ReceivedMail.Parse(_from!, [.. _to], lines, _isEightBit, _isUtf8, server.Note);
        var fault = server.TakeFault("BODY");
        if (size <= _options.MaxSize && (fault is null || fault.Accept))
        {
            await server.Take(mail, cancellationToken);
        }
        if (fault is not null)
        {
            (_from, _) = (null, _to.RemoveAll(_ => true));
            return await Fail(fault, cancellationToken);
        }
        return await Reset(size <= _options.MaxSize ? $"250 2.0.0 queued as {mail.Headers["Message-ID"].Trim('<', '>')[..8]}" : "552 5.3.4 Message too big for system", cancellationToken);
    }

    private Task<bool> Reset(string reply, CancellationToken cancellationToken)
    {
        (_from, _) = (null, _to.RemoveAll(_ => true));
        return Say(reply, cancellationToken);
    }

    /// <summary>What a fault does; false when the connection is over.</summary>
    private async Task<bool> Fail(SmtpFault fault, CancellationToken cancellationToken)
    {
        switch (fault.Reply)
        {
            case null:
                return false;
            case SmtpFault.Silence:
                await Task.Delay(Timeout.Infinite, cancellationToken);
                return false;
            default:
                await Reply(fault.Reply, cancellationToken);
                return !fault.Reply.StartsWith("421", StringComparison.Ordinal);
        }
    }

    private bool CheckAddress(string path)
    {
        if (Ascii.IsValid(path) || _isUtf8)
        {
            return true;
        }
        server.Note($"an address that is not ASCII without SMTPUTF8: {path}");
        return false;
    }

    private async Task<bool> Refuse(string reply, string violation, CancellationToken cancellationToken)
    {
        server.Note(violation);
        return await Say(reply, cancellationToken);
    }

    private async Task<bool> Say(string reply, CancellationToken cancellationToken)
    {
        await Reply(reply, cancellationToken);
        return true;
    }

    private async Task Reply(string text, CancellationToken cancellationToken) => await _stream.WriteAsync(Encoding.UTF8.GetBytes(text + "\r\n"), cancellationToken);

    private async Task<string?> ReadLine(bool isData, CancellationToken cancellationToken)
    {
        var bytes = new List<byte>();
        while (await _stream.ReadAsync(_one, cancellationToken) == 1)
        {
            if (_one[0] == '\n')
            {
                if (bytes.Count == 0 || bytes[^1] != '\r')
                {
                    server.Note("a line that ends without CR");
                }
                var line = Encoding.UTF8.GetString([.. bytes]).TrimEnd('\r');
                var mayBeOther = isData ? _isEightBit || _isUtf8 : _options.OffersUtf8;
                if (line.Any(character => (character > '~' && !mayBeOther) || (character < ' ' && character != '\t')))
                {
                    server.Note($"a line that is not ASCII: {line}");
                }
                return line;
            }
            bytes.Add(_one[0]);
            if (bytes.Count > MaxLine + 1)
            {
                server.Note($"a line of over {MaxLine} octets");
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

    private static byte[] Decoded(string base64) => base64 == "=" ? [] : Convert.FromBase64String(base64);

    /// <summary>RFC 5321, 4.1.2: a dot-string or a quoted string, an @, a domain. Nothing else stands between the brackets.</summary>
    private const string Path = """<(?<path>(?:[^\s<>()\[\]\\,;:@"]+|"(?:[^"\\]|\\.)*")@[A-Za-z0-9_\u0080-\uFFFF.-]+)>""";

    [GeneratedRegex("^MAIL FROM:" + Path + "(?: (?<parameter>[A-Za-z0-9=]+))*$", RegexOptions.ExplicitCapture)]
    private static partial Regex MailLine();

    [GeneratedRegex("^RCPT TO:" + Path + "$", RegexOptions.ExplicitCapture)]
    private static partial Regex RcptLine();

    [GeneratedRegex(@"^EHLO (?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9.]+\]|\[IPv6:[0-9a-fA-F:.]+\])$")]
    private static partial Regex HelloLine();
}
