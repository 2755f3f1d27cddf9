using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace AgentPlatform.Cluster.Tests;

/// <summary>An authority in a folder of its own, and what it signs.</summary>
internal sealed class ClusterCertificates : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("agentplatform-certificates").FullName;
    private readonly X509Certificate2 _authority;

    public ClusterCertificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(30));
        File.WriteAllText(AuthorityFile, _authority.ExportCertificatePem());
    }

    private string AuthorityFile => Path.Combine(_folder, "authority.pem");

    /// <summary>A certificate that this authority signed, valid until a number of days from now.</summary>
    public X509Certificate2 Sign(string name, int days = 20)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signed = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).Create(_authority, DateTimeOffset.UtcNow.AddDays(-1.5), DateTimeOffset.UtcNow.AddDays(days), RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }

    /// <summary>The settings of a process that has a certificate of its own.</summary>
    public Dictionary<string, string> Settings(string name, int days = 20)
    {
        using var own = Sign(name, days);
        var (certificate, key) = (Path.Combine(_folder, $"{name}.pem"), Path.Combine(_folder, $"{name}.key"));
        File.WriteAllText(certificate, own.ExportCertificatePem());
        File.WriteAllText(key, own.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return new() { ["ORLEANS_TLS_CERTIFICATE"] = certificate, ["ORLEANS_TLS_KEY"] = key, ["ORLEANS_TLS_AUTHORITY"] = AuthorityFile };
    }

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
