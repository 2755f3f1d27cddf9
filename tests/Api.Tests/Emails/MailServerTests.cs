using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using AgentPlatform.Api.Emails;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Fakes.Smtp;
using AgentPlatform.Fakes.Time;

namespace AgentPlatform.Api.Tests.Emails;

/// <summary>What mail servers do, over real connections: how they want to be signed in to, what they take, what they refuse.</summary>
public sealed class MailServerTests
{
    private static readonly SmtpServerOptions WithPassword = new(SmtpServerTls.StartTls, "platform", "secret");

    [Theory]
    [InlineData("LOGIN XOAUTH2", "LOGIN")] // Microsoft 365
    [InlineData("LOGIN", "LOGIN")]
    [InlineData("PLAIN LOGIN", "PLAIN")]
    [InlineData("GSSAPI NTLM PLAIN", "PLAIN")]
    [InlineData("SCRAM-SHA-256 PLAIN LOGIN", "SCRAM-SHA-256")]
    public async Task Signs_in_with_the_password_by_what_the_server_offers(string offered, string used)
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { Mechanisms = [.. offered.Split(' ')] });
        Assert.StartsWith("250 2.0.0 queued as", await Send(smtp), StringComparison.Ordinal);
        Assert.Equal([used], smtp.SignIns);
        Assert.Empty(smtp.Violations);
    }

    [Theory]
    [InlineData("SCRAM-SHA-256 PLAIN", "SCRAM-SHA-256", "535 5.7.8 no secret in database")] // Cyrus lists what its password file can't do
    [InlineData("PLAIN LOGIN", "PLAIN", "504 5.7.4 Unrecognized authentication type")]
    [InlineData("PLAIN LOGIN", "PLAIN", "534 5.7.9 Authentication mechanism is too weak")]
    public async Task What_the_server_lists_and_does_not_take_gives_way_to_the_next(string offered, string refused, string reply)
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { Mechanisms = [.. offered.Split(' ')], Refusals = ImmutableDictionary<string, string>.Empty.Add(refused, reply) });
        await Send(smtp);
        Assert.Equal(offered.Split(' '), smtp.SignIns);
        Assert.Empty(smtp.Violations);
    }

    [Fact]
    public async Task A_wrong_password_is_shown_once()
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword);
        var failure = await Refused(smtp, Options(smtp) with { Password = "wrong" });
        Assert.Equal(
            (MailFailureKind.NoConnection, "The mail server refused the sign-in of SMTP_USER by PLAIN: 535: 5.7.8 Authentication credentials invalid"), (failure.Kind, failure.Message));
        Assert.Equal(["PLAIN"], smtp.SignIns);
    }

    [Fact]
    public async Task A_server_that_can_not_check_the_password_now_is_asked_again_later()
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { Refusals = ImmutableDictionary<string, string>.Empty.Add("PLAIN", "454 4.7.0 Temporary authentication failure") });
        var failure = await Refused(smtp);
        Assert.Equal(MailFailureKind.NoConnection, failure.Kind);
        Assert.Contains("454: 4.7.0 Temporary authentication failure", failure.Message, StringComparison.Ordinal);
        Assert.Equal(["PLAIN"], smtp.SignIns);
    }

    [Theory]
    [InlineData("XOAUTH2 OAUTHBEARER", false, "offers only OAUTHBEARER, XOAUTH2 to sign in with; a password (SMTP_PASSWORD) needs one of", "Set SMTP_OAUTH_TOKEN_URL")]
    [InlineData("GSSAPI NTLM", false, "offers only GSSAPI, NTLM to sign in with; a password (SMTP_PASSWORD) needs one of SCRAM-SHA-512,", "PLAIN, LOGIN")]
    [InlineData("LOGIN PLAIN", true, "offers only LOGIN, PLAIN to sign in with; an access token (SMTP_OAUTH_TOKEN_URL) needs XOAUTH2", "Set SMTP_PASSWORD")]
    [InlineData("", false, "offers no sign-in, and SMTP_USER is set", "")]
    public async Task Which_way_to_sign_in_is_missing_is_said_in_words(string offered, bool byToken, string said, string advice)
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { Mechanisms = [.. offered.Split(' ', StringSplitOptions.RemoveEmptyEntries)] });
        await using var tokens = await FakeTokenServer.Start();
        var failure = await Refused(smtp, byToken ? ByToken(smtp, tokens) : Options(smtp));
        Assert.Equal(MailFailureKind.NoConnection, failure.Kind);
        Assert.Contains(said, failure.Message, StringComparison.Ordinal);
        Assert.Contains(advice, failure.Message, StringComparison.Ordinal);
        Assert.Empty(smtp.SignIns);
        Assert.Empty(tokens.Asked);
    }

    [Theory]
    [InlineData("LOGIN XOAUTH2", "XOAUTH2")]
    [InlineData("OAUTHBEARER", "OAUTHBEARER")]
    public async Task Signs_in_with_an_access_token_which_is_used_until_shortly_before_its_end(string offered, string used)
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { Mechanisms = [.. offered.Split(' ')], Token = "first" });
        await using var tokens = await FakeTokenServer.Start();
        var clock = new FakeTimeProvider();
        using var server = Server(smtp, ByToken(smtp, tokens), clock);
        tokens.Next("""{"token_type":"Bearer","expires_in":3600,"access_token":"first"}""");
        foreach (var _ in new[] { 1, 2 })
        {
            await Send(server);
        }
        var form = Assert.Single(tokens.Asked);
        Assert.Equal(("client_credentials", "app", "app secret", "https://mail.example.com/.default"), (form["grant_type"], form["client_id"], form["client_secret"], form["scope"]));
        clock.Advance(TimeSpan.FromHours(1) - MailTokens.Margin);
        smtp.Options = smtp.Options with { Token = "second" };
        // Some endpoints write the number as text.
        tokens.Next("""{"token_type":"Bearer","expires_in":"3600","access_token":"second"}""");
        await Send(server);
        Assert.Equal(2, tokens.Asked.Count);
        Assert.Equal([used, used, used], smtp.SignIns);
        Assert.Empty(smtp.Violations);
    }

    [Fact]
    public async Task A_token_that_was_withdrawn_is_replaced_at_once_and_a_new_one_that_is_refused_is_told()
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { Mechanisms = ["XOAUTH2"], Token = "first" });
        await using var tokens = await FakeTokenServer.Start();
        using var server = Server(smtp, ByToken(smtp, tokens));
        tokens.Next("""{"access_token":"first","expires_in":3600}""");
        await Send(server);
        smtp.Options = smtp.Options with { Token = "second" };
        tokens.Next("""{"access_token":"second","expires_in":3600}""");
        await Send(server);
        smtp.Options = smtp.Options with { Token = "of another mailbox" };
        tokens.Next("""{"access_token":"third","expires_in":3600}""");
        var failure = await Assert.ThrowsAsync<MailFailedException>(() => Send(server));
        Assert.Equal((MailFailureKind.NoConnection, "The mail server refused the access token of SMTP_USER by XOAUTH2: 535: 5.7.8 Authentication credentials invalid"), (failure.Kind, failure.Message));
        Assert.Equal(3, tokens.Asked.Count);
        Assert.Empty(smtp.Violations);
    }

    [Fact]
    public async Task A_refresh_token_gives_access_tokens_and_is_followed_when_it_changes()
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { Mechanisms = ["XOAUTH2"], Token = "access" });
        await using var tokens = await FakeTokenServer.Start();
        var clock = new FakeTimeProvider();
        var options = ByToken(smtp, tokens);
        using var server = Server(smtp, options with { OAuth = options.OAuth! with { RefreshToken = "refresh 1", ClientSecret = null, Scope = null } }, clock);
        foreach (var answer in new[] { """{"access_token":"access","expires_in":60,"refresh_token":"refresh 2"}""", """{"access_token":"access"}""", """{"access_token":"access"}""" })
        {
            tokens.Next(answer);
            await Send(server);
            clock.Advance(MailTokens.UnsaidLifetime);
        }
        Assert.Equal(["refresh 1", "refresh 2", "refresh 2"], tokens.Asked.Select(form => form["refresh_token"]));
        Assert.All(tokens.Asked, form => Assert.Equal(["client_id", "grant_type", "refresh_token"], form.Keys.Order()));
    }

    [Theory]
    [InlineData("""{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret\r\nprovided."}""", 401, "401 invalid_client AADSTS7000215: Invalid client secret provided.")]
    [InlineData("<html>Bad gateway</html>", 502, "502")]
    [InlineData("""{"access_token":7}""", 200, "200")]
    public async Task Why_there_is_no_token_is_said_in_the_endpoint_s_words(string answer, int status, string said)
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { Mechanisms = ["XOAUTH2"] });
        await using var tokens = await FakeTokenServer.Start();
        tokens.Next(answer, status);
        var failure = await Refused(smtp, ByToken(smtp, tokens));
        Assert.Equal((MailFailureKind.NoConnection, $"SMTP_OAUTH_TOKEN_URL gave no access token: {said}"), (failure.Kind, failure.Message));
        Assert.DoesNotContain("app secret", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SmtpServerTls.None, MailTls.StartTls, "offers no STARTTLS")]
    [InlineData(SmtpServerTls.StartTls, MailTls.StartTls, "TLS with the mail server failed")]
    [InlineData(SmtpServerTls.Implicit, MailTls.Implicit, "TLS with the mail server failed")]
    public async Task A_server_without_tls_or_with_a_false_certificate_gets_neither_password_nor_e_mail(SmtpServerTls offered, MailTls wanted, string said)
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { Tls = offered });
        // Nothing says that the certificate, which the server signed itself, may be trusted.
        using var server = new MailServer(Options(smtp) with { Tls = wanted }, TimeProvider.System);
        var failure = await Assert.ThrowsAsync<MailFailedException>(() => Send(server));
        Assert.Equal(MailFailureKind.NoConnection, failure.Kind);
        Assert.Contains(said, failure.Message, StringComparison.Ordinal);
        Assert.Empty(smtp.SignIns);
        Assert.False(smtp.HasMail);
    }

    [Fact]
    public async Task Nothing_that_was_said_before_tls_is_believed_after_it()
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { InjectsAfterStartTls = true, Mechanisms = ["LOGIN"] });
        var failure = await Record.ExceptionAsync(() => Send(smtp));
        Assert.True(failure is null or MailFailedException { Kind: MailFailureKind.NoConnection }, $"{failure}");
        // What the one in between offered was PLAIN.
        Assert.DoesNotContain("PLAIN", smtp.SignIns);
    }

    [Fact]
    public async Task Tls_from_the_first_byte_works_too_and_a_subject_stays_one_line()
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { Tls = SmtpServerTls.Implicit });
        await Send(smtp, Options(smtp) with { Tls = MailTls.Implicit }, new Mail(Guid.CreateVersion7(), "b@example.com", "Line\r\nBcc: everybody@example.com", "Body"));
        var received = await Received(smtp);
        Assert.Equal("Line  Bcc: everybody@example.com", received.Subject);
        Assert.Equal("auto-generated", received.Headers["Auto-Submitted"]);
        Assert.DoesNotContain("Bcc", received.Headers.Keys);
        Assert.Empty(smtp.Violations);
    }

    [Theory]
    [InlineData(998, 'x', false, "7bit")]
    [InlineData(999, 'x', false, "base64")]
    [InlineData(499, 'ж', false, "base64")]
    [InlineData(499, 'ж', true, "8bit")]
    [InlineData(500, 'ж', true, "base64")]
    public async Task A_text_travels_as_it_is_where_the_server_takes_it(int length, char letter, bool offersEightBit, string encoding)
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { OffersEightBit = offersEightBit });
        var body = $"First.\n.second begins with a dot\n{new string(letter, length)}\n\n.\nFin.";
        await Send(smtp, mail: Some("b@example.com") with { Body = body });
        var received = await Received(smtp);
        Assert.Equal(body.ReplaceLineEndings("\r\n"), received.Body.TrimEnd());
        Assert.Equal(encoding, received.Encoding);
        Assert.Empty(smtp.Violations);
    }

    [Fact]
    public async Task A_subject_of_any_letters_is_made_of_words_that_every_server_takes()
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { OffersPipelining = true });
        var seed = Environment.TickCount;
        var chance = new Random(seed);
        string[] parts = ["длинный", "a", "日本語", " ", "—", "Größe", "😀", "80 %", ", ", "x@y", "(", "\"", "=?", "longasciiword", "한국어", "\u0301"];
        using var server = Server(smtp, Options(smtp));
        await using var connection = server.Connect();
        foreach (var subject in Enumerable.Range(0, 200).Select(_ => $"x{string.Concat(Enumerable.Range(0, chance.Next(1, 25)).Select(_ => parts[chance.Next(parts.Length)]))}ж"))
        {
            await connection.Send(Some("b@example.com") with { Subject = subject }, default);
            var received = await Received(smtp);
            Assert.True(subject.StartsWith(received.Subject, StringComparison.Ordinal) && received.Subject.Length >= Math.Min(subject.Length, MailMessages.MaxSubjectLength - 1), $"seed {seed}: {subject}: {received.Subject}");
        }
        Assert.True(smtp.Violations.Count == 0, $"seed {seed}: {string.Join("; ", smtp.Violations)}");
    }

    [Fact]
    public async Task Names_and_subjects_are_written_in_words()
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { OffersPipelining = true });
        const string subject = "Зарплата: 80 % — 日本語 длинный заголовок, который не помещается в одну строку";
        var body = $"Первая строка.\r\n.second begins with a dot\r\n{new string('ж', 3000)}\r\nFin.";
        await Send(smtp, mail: new Mail(Guid.CreateVersion7(), "b@example.com", subject, body));
        var received = await Received(smtp);
        Assert.Equal(subject, received.Subject);
        Assert.Equal(body, received.Body.TrimEnd());
        Assert.Equal("Größe & Co <platform@example.com>", received.Headers["From"]);
        Assert.Empty(smtp.Violations);
    }

    [Theory]
    [InlineData("ada@münchen.de", "ada@xn--mnchen-3ya.de", false)]
    [InlineData("jürgen@münchen.de", "jürgen@münchen.de", true)]
    [InlineData("用户@例子.广告", "用户@例子.广告", true)]
    [InlineData("\"ada byron\"@example.com", "\"ada byron\"@example.com", false)]
    [InlineData("o'neil+tag@example.co.uk", "o'neil+tag@example.co.uk", false)]
    public async Task An_address_is_written_so_that_every_server_on_the_way_takes_it_where_that_can_be(string address, string written, bool underUtf8)
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { OffersUtf8 = true, OffersEightBit = true });
        await Send(smtp, mail: new Mail(Guid.CreateVersion7(), address, "Größe", "Text."));
        var received = await Received(smtp);
        Assert.Equal(written, Assert.Single(received.To));
        Assert.Equal(underUtf8, received.IsUtf8);
        Assert.Equal("Größe", received.Subject);
        Assert.Empty(smtp.Violations);
    }

    [Fact]
    public async Task Whom_the_server_can_not_write_to_gets_nothing_and_the_reason_is_said()
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { OffersEightBit = true });
        var failure = await Refused(smtp, mail: new Mail(Guid.CreateVersion7(), "jürgen@example.com", "Subject", "Text."));
        Assert.Equal(MailFailureKind.Final, failure.Kind);
        Assert.Contains("offers no SMTPUTF8", failure.Message, StringComparison.Ordinal);
        string[] noAddresses = ["x>,<victim@example.com", "a\"b@example.com", "a@b@example.com", "ada@example.com\r\nRCPT TO:<b@example.com>", "Ada <ada@example.com>", "ada", "a b@example.com", "a@example.com,b@example.com", ""];
        foreach (var address in noAddresses)
        {
            Assert.Equal(MailFailureKind.Final, (await Refused(smtp, mail: new Mail(Guid.CreateVersion7(), address, "Subject", "Text."))).Kind);
        }
        Assert.False(smtp.HasMail);
        Assert.Empty(smtp.Violations);
    }

    [Theory]
    [InlineData("a..b@example.com")] // such addresses were given out in Japan
    [InlineData("ada@exa_mple.com")]
    [InlineData("boss@localhost")]
    public async Task Whoever_has_an_account_from_before_goes_on_getting_e_mail(string address)
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword);
        await Send(smtp, mail: Some(address));
        Assert.Equal([address], (await Received(smtp)).To);
    }

    [Fact]
    public async Task Several_e_mails_go_over_one_connection_whatever_becomes_of_each()
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { OffersUtf8 = true, OffersEightBit = true, OffersPipelining = true });
        using (var server = Server(smtp, Options(smtp)))
        await using (var connection = server.Connect())
        {
            await connection.Send(Some("a@example.com"), default);
            smtp.Next(new("RCPT", "550 5.1.1 No such user"));
            await Assert.ThrowsAsync<MailFailedException>(() => connection.Send(Some("nobody@example.com"), default));
            await connection.Send(Some("b@example.com"), default);
            Assert.Equal(1, smtp.Connections);
            // SMTPUTF8 was given up on that one.
            await connection.Send(Some("jürgen@example.com"), default);
            await connection.Send(Some("c@example.com"), default);
            Assert.Equal(2, smtp.Connections);
            // One that broke off is begun again.
            smtp.Next(new("BODY", null));
            await Assert.ThrowsAsync<MailFailedException>(() => connection.Send(Some("d@example.com"), default));
            await connection.Send(Some("d@example.com"), default);
        }
        Assert.Equal(3, smtp.Connections);
        foreach (var to in new[] { "a@example.com", "b@example.com", "jürgen@example.com", "c@example.com", "d@example.com" })
        {
            Assert.Equal([to], (await Received(smtp)).To);
        }
        Assert.Empty(smtp.Violations);
    }

    [Theory]
    [InlineData("RCPT", "550 5.1.1 No such user", "Final")]
    [InlineData("RCPT", "451-4.7.1 Greylisted,\r\n451 4.7.1 come again", "Passing")]
    [InlineData("RCPT", "550 4.7.1 Too many messages, slow down", "Passing")]
    [InlineData("RCPT", "452 4.5.3 Too many recipients", "Passing")]
    [InlineData("MAIL", "552 5.3.4 Message size exceeds fixed limit", "Final")]
    [InlineData("MAIL", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", "Passing")]
    [InlineData("MAIL", "421 4.7.0 Too many messages, closing", "Passing")]
    [InlineData("MAIL", "530 5.7.57 Client not authenticated to send mail", "Passing")]
    [InlineData("DATA", "554 5.5.1 No valid recipients", "Final")]
    [InlineData("BODY", "552 5.2.2 Mailbox full", "Final")]
    [InlineData("BODY", "554 5.7.1 Spam message rejected", "Final")]
    [InlineData("BODY", "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", "Passing")]
    [InlineData("GREETING", "421 4.3.2 Service not available", "NoConnection")]
    [InlineData("GREETING", "554 5.7.1 Your address is on a list", "NoConnection")]
    [InlineData("GREETING", null, "NoConnection")]
    [InlineData("DATA", null, "Passing")]
    [InlineData("BODY", null, "Passing")]
    public async Task What_an_answer_means(string command, string? reply, string kind)
    {
        foreach (var pipelining in new[] { false, true })
        {
            await using var smtp = FakeSmtpServer.Start(WithPassword with { OffersPipelining = pipelining });
            smtp.Next(new(command, reply));
            var failure = await Refused(smtp);
            Assert.True(kind == failure.Kind.ToString(), $"{failure.Kind}: {failure.Message}");
            // The server's own words, on one line.
            foreach (var line in reply?.Split("\r\n") ?? [])
            {
                Assert.Contains(line[4..], failure.Message, StringComparison.Ordinal);
                Assert.StartsWith(line[..3], failure.Message, StringComparison.Ordinal);
            }
            Assert.DoesNotContain('\n', failure.Message);
            Assert.Empty(smtp.Violations);
        }
    }

    [Fact]
    public async Task What_is_larger_than_the_server_takes_has_failed()
    {
        await using var smtp = FakeSmtpServer.Start(WithPassword with { MaxSize = 100 });
        var failure = await Refused(smtp);
        Assert.Equal((MailFailureKind.Final, "552 5.3.4 Message size exceeds fixed maximum message size"), (failure.Kind, failure.Message));
    }

    [Theory]
    [InlineData("GREETING")]
    [InlineData("EHLO")]
    [InlineData("BODY")]
    public async Task A_server_that_falls_silent_is_left(string command)
    {
        await using var smtp = FakeSmtpServer.Start();
        smtp.Next(new(command, SmtpFault.Silence));
        var clock = new FakeTimeProvider();
        using var server = Server(smtp, Options(smtp) with { Tls = MailTls.None, User = null, Timeout = TimeSpan.FromSeconds(30) }, clock);
        var sending = Send(server);
        await clock.WaitForTimersAsync(1);
        clock.Advance(TimeSpan.FromSeconds(30));
        var failure = await Assert.ThrowsAsync<MailFailedException>(() => sending);
        Assert.Equal((MailFailureKind.NoConnection, "The mail server didn't answer within SMTP_TIMEOUT_SECONDS (30)."), (failure.Kind, failure.Message));
    }

    [Fact]
    public async Task Where_nobody_listens_the_address_is_named()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        using var server = new MailServer(new MailOptions { Host = "127.0.0.1", Port = port, From = "a@example.com" }, TimeProvider.System);
        var failure = await Assert.ThrowsAsync<MailFailedException>(() => Send(server));
        Assert.Equal(MailFailureKind.NoConnection, failure.Kind);
        Assert.StartsWith($"No connection to the mail server at 127.0.0.1:{port}: ", failure.Message, StringComparison.Ordinal);
    }

    private static MailOptions Options(FakeSmtpServer smtp) =>
        new() { Host = "127.0.0.1", Port = smtp.Port, User = "platform", Password = "secret", From = "Größe & Co <platform@example.com>", EhloName = "platform.example.com" };

    private static MailOptions ByToken(FakeSmtpServer smtp, FakeTokenServer tokens) => Options(smtp) with
    {
        Password = null,
        OAuth = new() { TokenUrl = tokens.Url, ClientId = "app", ClientSecret = "app secret", Scope = "https://mail.example.com/.default" },
    };

    private static MailServer Server(FakeSmtpServer smtp, MailOptions options, TimeProvider? clock = null) =>
        new(options, clock ?? TimeProvider.System) { Trust = (_, certificate, _, _) => certificate?.GetCertHashString() == smtp.Certificate.GetCertHashString() };

    private static Mail Some(string to) => new(Guid.CreateVersion7(), to, "Subject", "Text.");

    private static async Task<string> Send(FakeSmtpServer smtp, MailOptions? options = null, Mail? mail = null)
    {
        using var server = Server(smtp, options ?? Options(smtp));
        return await Send(server, mail);
    }

    private static async Task<string> Send(MailServer server, Mail? mail = null)
    {
        await using var connection = server.Connect();
        return await connection.Send(mail ?? Some("b@example.com"), default);
    }

    private static Task<MailFailedException> Refused(FakeSmtpServer smtp, MailOptions? options = null, Mail? mail = null) =>
        Assert.ThrowsAsync<MailFailedException>(() => Send(smtp, options, mail));

    private static async Task<ReceivedMail> Received(FakeSmtpServer smtp)
    {
        using var patience = new CancellationTokenSource(Eventually.Patience);
        return await smtp.NextMail(patience.Token);
    }
}
