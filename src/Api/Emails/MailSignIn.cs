using System.Globalization;
using System.Net;
using System.Text;
using MailKit.Net.Smtp;
using MailKit.Security;

namespace AgentPlatform.Api.Emails;

/// <summary>Signs in to a mail server by a way that both sides know (RFC 4954), or says which one is missing.</summary>
internal sealed class MailSignIn(MailOptions options, MailTokens? tokens)
{
    /// <summary>Ways to show a password, the better ones first. Servers that offer PLAIN and LOGIN hold them against the same account: one of the two is enough.</summary>
    private static readonly string[] ByPassword = ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5"];

    private static readonly string[] ByToken = ["XOAUTH2", "OAUTHBEARER"];

    /// <exception cref="MailFailedException">The server refuses, or offers nothing that fits the settings.</exception>
    /// <exception cref="AuthenticationException">The server can't say now.</exception>
    public async Task Run(SmtpClient client, CancellationToken cancellationToken)
    {
        if (options.User is null)
        {
            return;
        }
        var offered = client.AuthenticationMechanisms;
        if ((client.Capabilities & SmtpCapabilities.Authentication) == 0 || offered.Count == 0)
        {
            throw Missing($"The mail server offers no sign-in{(client.IsSecure ? "" : " without TLS")}, and SMTP_USER is set.");
        }
        if (tokens is null)
        {
            await ShowPassword(client, [.. ByPassword.Where(offered.Contains)], cancellationToken);
        }
        else
        {
            await ShowToken(client, ByToken.FirstOrDefault(offered.Contains), tokens, cancellationToken);
        }
    }

    private async Task ShowPassword(SmtpClient client, string[] known, CancellationToken cancellationToken)
    {
        var answer = "";
        foreach (var name in known)
        {
            try
            {
                await client.AuthenticateAsync(SaslMechanism.Create(name, Encoding.UTF8, new NetworkCredential(options.User, options.Password))!, cancellationToken);
                return;
            }
            catch (AuthenticationException refused) when (Code(refused) is null or >= 500)
            {
                answer = $"{name}: {refused.Message}";
                // Some servers list SCRAM without keeping what it needs. A wrong password is shown once: several failures lock accounts.
                var isWrong = Code(refused) == (int)SmtpStatusCode.AuthenticationInvalidCredentials && !name.StartsWith("SCRAM", StringComparison.Ordinal);
                if (isWrong || !client.IsConnected)
                {
                    break;
                }
            }
        }
        throw Missing(known.Length > 0
            ? $"The mail server refused the sign-in of SMTP_USER by {answer}"
            : $"The mail server offers only {Listed(client)} to sign in with; a password (SMTP_PASSWORD) needs one of {string.Join(", ", ByPassword)}."
                + (client.AuthenticationMechanisms.Overlaps(ByToken) ? " Set SMTP_OAUTH_TOKEN_URL for access tokens." : ""));
    }

    private async Task ShowToken(SmtpClient client, string? name, MailTokens source, CancellationToken cancellationToken)
    {
        if (name is null)
        {
            throw Missing($"The mail server offers only {Listed(client)} to sign in with; an access token (SMTP_OAUTH_TOKEN_URL) needs XOAUTH2 or OAUTHBEARER. Set SMTP_PASSWORD in its place.");
        }
        for (; ; )
        {
            var (token, wasKept) = await source.Get(cancellationToken);
            try
            {
                await client.AuthenticateAsync(name == "XOAUTH2" ? new SaslMechanismOAuth2(options.User!, token) : new SaslMechanismOAuthBearer(options.User!, token), cancellationToken);
                return;
            }
            catch (AuthenticationException refused) when (Code(refused) is null or >= 500)
            {
                // It may have been withdrawn before its time: a new one says whether that is so.
                source.Forget(token);
                if (!wasKept || !client.IsConnected)
                {
                    throw Missing($"The mail server refused the access token of SMTP_USER by {name}: {refused.Message}");
                }
            }
        }
    }

    private static string Listed(SmtpClient client) => string.Join(", ", client.AuthenticationMechanisms.Order(StringComparer.Ordinal));

    /// <summary>The reply code, with which the library begins what it says; null where it leaves it out (534).</summary>
    private static int? Code(AuthenticationException refused) =>
        refused.Message.Length >= 3 && int.TryParse(refused.Message.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : null;

    private static MailFailedException Missing(string reason) => new(reason, MailFailureKind.NoConnection);
}
