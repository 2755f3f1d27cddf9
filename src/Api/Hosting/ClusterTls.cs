using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AgentPlatform.Data;
using Orleans.Connections.Security;

namespace AgentPlatform.Api.Hosting;

/// <summary>
/// TLS between silos, and from API processes to them. Both ends show a certificate: whoever has none that the cluster's authority signed gets no connection. Names in certificates
/// don't count, since silos are reached by addresses that change.
/// </summary>
public sealed class ClusterTls
{
    private readonly X509Certificate2 _own;
    private readonly X509Certificate2Collection _authorities;

    private ClusterTls(X509Certificate2 own, X509Certificate2Collection authorities) => (_own, _authorities) = (own, authorities);

    /// <summary>
    /// Reads <c>ORLEANS_TLS_CERTIFICATE</c> and <c>ORLEANS_TLS_KEY</c>, this process's certificate and its key, and <c>ORLEANS_TLS_AUTHORITY</c>, the certificates of those that signed the
    /// others'; by default the first, which all processes then share. All are names of PEM files. Null where nothing is set.
    /// </summary>
    /// <exception cref="SettingException">A file is missing or is none, or only one of certificate and key is set.</exception>
    public static ClusterTls? From(IConfiguration configuration)
    {
        var (certificate, key, authority) = (configuration["ORLEANS_TLS_CERTIFICATE"], configuration["ORLEANS_TLS_KEY"], configuration["ORLEANS_TLS_AUTHORITY"]);
        if (string.IsNullOrEmpty(certificate) && string.IsNullOrEmpty(key) && string.IsNullOrEmpty(authority))
        {
            return null;
        }
        if (string.IsNullOrEmpty(certificate) || string.IsNullOrEmpty(key))
        {
            throw new SettingException("ORLEANS_TLS_CERTIFICATE and ORLEANS_TLS_KEY go together: the names of two PEM files, a certificate and its key.");
        }
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(string.IsNullOrEmpty(authority) ? certificate : authority);
            return authorities.Count > 0
                ? new ClusterTls(X509Certificate2.CreateFromPemFile(certificate, key), authorities)
                : throw new SettingException($"ORLEANS_TLS_AUTHORITY: {authority} holds no certificate.");
        }
        catch (Exception unreadable) when (unreadable is IOException or CryptographicException or UnauthorizedAccessException)
        {
            throw new SettingException($"ORLEANS_TLS_CERTIFICATE, ORLEANS_TLS_KEY or ORLEANS_TLS_AUTHORITY can't be read: {unreadable.Message}", unreadable);
        }
    }

    /// <summary>How Orleans is to use it, as the one who calls and as the one who is called.</summary>
    public void Apply(TlsOptions options)
    {
        options.LocalCertificate = _own;
        options.RemoteCertificateMode = RemoteCertificateMode.RequireCertificate;
        options.ClientCertificateMode = RemoteCertificateMode.RequireCertificate;
        options.CheckCertificateRevocation = false;
        options.RemoteCertificateValidation = (certificate, _, errors) => !errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) && IsOfThisCluster(certificate);
        // Sent as the server's name, which TLS wants; nobody looks at it.
        options.OnAuthenticateAsClient = (_, ssl) => ssl.TargetHost = "agentplatform";
    }

    /// <summary>Whether a certificate is valid today and signed by one of the authorities, or is one of them.</summary>
    public bool IsOfThisCluster(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }
}
