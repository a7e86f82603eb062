using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Doctor;

/// <summary>The certificate of services with https URLs: readable, with its key, valid for a while and for their names.</summary>
internal static class CertificateChecks
{
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    public static IReadOnlyList<Finding> Run(ClusterConfig config, TimeProvider time)
    {
        var findings = new Findings("tls");
        var path = $"Clusters.{config.ClusterId}.TLS";
        var services = config.Services;
        var hosts = ((ServiceConfig[])[services.Controller, services.Keepstore, services.Keepgw, services.WebDAV])
            .SelectMany(service => service.InternalURLs.Keys.Append(service.ExternalURL))
            .Where(url => url.StartsWith("https:", StringComparison.OrdinalIgnoreCase)).Select(url => new Uri(url).Host.Trim('[', ']')).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        if (config.TLS.Certificate.Length == 0)
        {
            if (hosts.Count > 0)
            {
                findings.Warn(path, "no certificate, though services have https URLs", "set Certificate and Key, unless all of them run on other nodes or behind a proxy");
            }

            return findings.All;
        }

        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(FilePath(config.TLS.Certificate), FilePath(config.TLS.Key));
            Check(certificate, hosts, config.TLS.Insecure, time.GetUtcNow(), path, findings);
            CheckKeyMode(FilePath(config.TLS.Key), findings);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            findings.Fail(path, $"{config.TLS.Certificate}: {e.Message}", "give PEM files of a certificate and its key that this user may read");
        }

        return findings.All;
    }

    private static void Check(X509Certificate2 certificate, List<string> hosts, bool isInsecure, DateTimeOffset now, string path, Findings findings)
    {
        var (from, until) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        var shown = until.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        if (now.UtcDateTime < from)
        {
            findings.Fail(path, $"the certificate is not valid before {from:u}", "set the clock, or get another certificate");
        }
        else if (now.UtcDateTime > until)
        {
            findings.Fail(path, $"the certificate ended on {shown}", "renew it and restart the services");
        }
        else if (now.UtcDateTime + RenewBefore > until)
        {
            findings.Warn(path, $"the certificate ends on {shown}", "renew it and restart the services");
        }
        else
        {
            findings.Ok(path, $"the certificate is valid until {shown}");
        }

        var missing = hosts.Where(host => !certificate.MatchesHostname(host)).ToList();
        if (missing.Count > 0 && !isInsecure)
        {
            findings.Warn(path, $"the certificate does not name {string.Join(", ", missing)}", "clients will refuse these services: get a certificate with their names");
        }
    }

    private static void CheckKeyMode(string file, Findings findings)
    {
        if ((File.GetUnixFileMode(file) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
        {
            findings.Warn(file, "everybody on this machine may read the private key", $"chmod o-rwx {file}");
        }
    }

    private static string FilePath(string text) => text.StartsWith("file://", StringComparison.Ordinal) ? text["file://".Length..] : text;
}
