using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KeepFs.Cli.Up;

/// <summary>A self-signed certificate for a cluster that has no other; clients are told not to verify it.</summary>
internal static class SelfSigned
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(825);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    /// <summary>Certificate and key as PEM.</summary>
    public static (string Certificate, string Key) Create(IReadOnlyCollection<string> hosts, TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=KeepFs", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(host);
            }
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign, critical: true));
        var now = time.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now + Lifetime);
        return (certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>Names every host and lasts for a while.</summary>
    public static bool IsGoodFor(string file, IReadOnlyCollection<string> hosts, TimeProvider time)
    {
        using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(file));
        return certificate.NotAfter.ToUniversalTime() > (time.GetUtcNow() + RenewBefore).UtcDateTime && hosts.All(host => certificate.MatchesHostname(host));
    }
}
