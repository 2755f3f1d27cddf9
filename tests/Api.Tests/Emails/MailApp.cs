using AgentPlatform.Api.Emails;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Fakes.Smtp;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.Emails;

/// <summary>An installation that sends e-mail to an emulated server, signed in and by STARTTLS.</summary>
public class MailApp : ApiApp, IAsyncLifetime
{
    public FakeSmtpServer Smtp { get; private set; } = null!;

    async Task IAsyncLifetime.InitializeAsync()
    {
        Smtp = FakeSmtpServer.Start(new(SmtpServerTls.StartTls, "platform", "secret"));
        await InitializeAsync();
        Services.GetRequiredService<MailServer>().Trust = (_, certificate, _, _) => certificate?.GetCertHashString() == Smtp.Certificate.GetCertHashString();
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        await DisposeAsync();
        await Smtp.DisposeAsync();
    }

    /// <summary>The next e-mail to an address, and no rule broken on its way; others' are passed over: one test at a time waits here.</summary>
    public async Task<ReceivedMail> NextMail(string to)
    {
        using var patience = new CancellationTokenSource(Eventually.Patience);
        while (true)
        {
            if (await Smtp.NextMail(patience.Token) is { } mail && mail.To.Contains(to))
            {
                Assert.True(Smtp.Violations.Count == 0, string.Join(Environment.NewLine, Smtp.Violations));
                return mail;
            }
        }
    }

    protected override Dictionary<string, string?> Settings() => new(base.Settings())
    {
        ["PUBLIC_BASE_URL"] = "https://platform.example.com",
        ["SMTP_HOST"] = "127.0.0.1",
        ["SMTP_PORT"] = $"{Smtp.Port}",
        ["SMTP_USER"] = "platform",
        ["SMTP_PASSWORD"] = "secret",
        ["SMTP_FROM"] = "Größe & Co <platform@example.com>",
    };
}
