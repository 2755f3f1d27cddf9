using System.Net.Security;

namespace AgentPlatform.Api.Emails;

/// <summary>The installation's mail server.</summary>
internal sealed class MailServer : IDisposable
{
    private readonly MailOptions _options;
    private readonly TimeProvider _clock;
    private readonly HttpClient? _http;
    private readonly MailTokens? _tokens;

    public MailServer(MailOptions options, TimeProvider clock)
    {
        (_options, _clock) = (options, clock);
        if (options.OAuth is { } oauth)
        {
            // Half of an e-mail's time, so that the reason can still be told.
            _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = options.Timeout / 2, MaxResponseContentBufferSize = MailTokens.MaxAnswerBytes };
            _tokens = new MailTokens(oauth, _http, clock);
        }
    }

    /// <summary>How servers' certificates are judged, where not as usual: for tests with a server of their own.</summary>
    internal RemoteCertificateValidationCallback? Trust { get; set; }

    /// <summary>For some e-mails; nothing happens before the first.</summary>
    public MailConnection Connect() => new(_options, _tokens, Trust, _clock);

    public void Dispose()
    {
        _tokens?.Dispose();
        _http?.Dispose();
    }
}
