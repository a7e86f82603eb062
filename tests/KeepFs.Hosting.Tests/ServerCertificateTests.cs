using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KeepFs.Hosting.Http;
using KeepFs.Testing.Volumes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace KeepFs.Hosting.Tests;

public sealed class ServerCertificateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly Lines _log = new();

    private string CertificateFile => Path.Combine(_folder.Path, "certificate.pem");

    private string KeyFile => Path.Combine(_folder.Path, "key.pem");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Renewed_files_are_taken_up_and_a_wrong_pair_is_not()
    {
        var first = Write("one");
        var certificate = ServerCertificate.FromPem(CertificateFile, KeyFile, _time, _log);
        Assert.Equal(first, certificate.Current.Thumbprint);

        var second = Write("two");
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(second, certificate.Current.Thumbprint);

        File.WriteAllText(KeyFile, "no key");
        File.SetLastWriteTimeUtc(KeyFile, DateTime.UtcNow.AddHours(1));
        for (var i = 0; i < 3; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(11));
            Assert.Equal(second, certificate.Current.Thumbprint);
        }

        File.Delete(CertificateFile);
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(second, certificate.Current.Thumbprint);

        var third = Write("three");
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(third, certificate.Current.Thumbprint);
        Assert.Equal(4, _log.Text.Count);
        Assert.Contains("cannot be used", _log.Text[1], StringComparison.Ordinal);
    }

    [Fact]
    public void First_pair_must_be_good()
    {
        Write("one");
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(KeyFile, other.ExportPkcs8PrivateKeyPem());
        Assert.ThrowsAny<Exception>(() => ServerCertificate.FromPem(CertificateFile, KeyFile, _time, _log));
        File.Delete(CertificateFile);
        Assert.ThrowsAny<IOException>(() => ServerCertificate.FromPem(CertificateFile, KeyFile, _time, _log));
    }

    [Fact]
    public async Task Clients_get_the_chain_and_after_a_renewal_the_new_certificate()
    {
        using var root = new Authority("root", null);
        using var intermediate = new Authority("intermediate", root);
        using var leaf = new Authority("localhost", intermediate);
        await File.WriteAllTextAsync(CertificateFile, leaf.Certificate.ExportCertificatePem() + "\n" + intermediate.Certificate.ExportCertificatePem() + "\n");
        await File.WriteAllTextAsync(KeyFile, leaf.Key.ExportPkcs8PrivateKeyPem());
        var certificate = ServerCertificate.FromPem(CertificateFile, KeyFile, _time, _log);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, certificate.Use));
        await using var app = builder.Build();
        app.Run(_ => Task.CompletedTask);
        await app.StartAsync();
        var port = new Uri(app.Urls.Single()).Port;

        Assert.True(await IsTrustedAsync(port, root.Certificate), "the intermediate certificate was not sent");
        var renewed = Write("localhost");
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(renewed, await ThumbprintAsync(port));
        await app.StopAsync();
    }

    private static async Task<bool> IsTrustedAsync(int port, X509Certificate2 root)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.Add(root);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        await using var tls = new SslStream(client.GetStream());
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = policy });
            return true;
        }
        catch (System.Security.Authentication.AuthenticationException)
        {
            return false;
        }
    }

    private static async Task<string> ThumbprintAsync(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        await using var tls = new SslStream(client.GetStream(), false, (_, given, _, _) => given is not null);
        await tls.AuthenticateAsClientAsync("localhost");
        return tls.RemoteCertificate!.GetCertHashString();
    }

    private string Write(string name)
    {
        using var made = new Authority(name, null);
        File.WriteAllText(CertificateFile, made.Certificate.ExportCertificatePem());
        File.WriteAllText(KeyFile, made.Key.ExportPkcs8PrivateKeyPem());

        // Two files of one test are written within the resolution of some file systems' times.
        File.SetLastWriteTimeUtc(KeyFile, DateTime.UtcNow.AddSeconds(Random.Shared.Next(100_000)));
        return made.Certificate.Thumbprint;
    }

    private sealed class Authority : IDisposable
    {
        public Authority(string name, Authority? issuer)
        {
            var request = new CertificateRequest($"CN={name}", Key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(name != "localhost", false, 0, true));
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
            if (issuer is null)
            {
                Certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
                return;
            }

            // No second later than its issuer, which would be refused: the clock may have moved on since.
            using var signed = request.Create(issuer.Certificate, issuer.Certificate.NotBefore, issuer.Certificate.NotAfter, RandomNumberGenerator.GetBytes(8));
            Certificate = signed.CopyWithPrivateKey(Key);
        }

        public ECDsa Key { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        public X509Certificate2 Certificate { get; }

        public void Dispose()
        {
            Certificate.Dispose();
            Key.Dispose();
        }
    }

    private sealed class Lines : ILogger
    {
        public List<string> Text { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Text.Add(formatter(state, exception));
    }
}
