using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace KeepFs.Hosting.Http;

/// <summary>
/// The certificate that a server presents, with the intermediate ones that stand beside it in its file. One from files is read again when they have
/// changed, without a restart; connections that are open keep theirs. Safe for concurrent use.
/// </summary>
public sealed partial class ServerCertificate
{
    /// <summary>New connections look at the files this often: whoever renews a certificate does so days before the old one ends.</summary>
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(10);

    private readonly Func<(SslStreamCertificateContext Context, FilesState State)>? _load;
    private readonly Func<FilesState>? _look;
    private readonly TimeProvider _time;
    private readonly ILogger? _logger;
    private readonly Lock _lock = new();
    private volatile SslStreamCertificateContext _context;
    private FilesState _state;
    private FilesState _refused;
    private long _checkedAt;

    private ServerCertificate(X509Certificate2 certificate)
    {
        _context = SslStreamCertificateContext.Create(certificate, null, offline: true);
        _time = TimeProvider.System;
    }

    private ServerCertificate(string certificateFile, string keyFile, TimeProvider time, ILogger logger)
    {
        (_time, _logger) = (time, logger);
        _look = () => new FilesState(certificateFile, File.GetLastWriteTimeUtc(certificateFile), File.GetLastWriteTimeUtc(keyFile));
        _load = () => Load(certificateFile, keyFile, _look);
        (_context, _state) = _load();
        _checkedAt = time.GetTimestamp();
    }

    /// <summary>What new connections get now.</summary>
    public X509Certificate2 Current => Context().TargetCertificate;

    /// <summary>One that never changes.</summary>
    /// <param name="certificate">With its private key; the caller disposes it after the server.</param>
    public static ServerCertificate Of(X509Certificate2 certificate) => new(certificate);

    /// <summary>One from PEM files. A pair that cannot be read later, or does not belong together, is logged and the last good one goes on.</summary>
    /// <param name="certificateFile">The server's certificate, then the intermediate ones.</param>
    /// <param name="keyFile">Its private key; may be the same file.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Is told of each change.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="CryptographicException">They hold no certificate and key that belong together.</exception>
    public static ServerCertificate FromPem(string certificateFile, string keyFile, TimeProvider time, ILogger logger) => new(certificateFile, keyFile, time, logger);

    /// <summary>Serves HTTPS with it.</summary>
    public void Use(ListenOptions endpoint) => endpoint.UseHttps(new TlsHandshakeCallbackOptions
    {
        OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = Context() }),
    });

    private SslStreamCertificateContext Context()
    {
        if (_load is not null && _time.GetElapsedTime(Interlocked.Read(ref _checkedAt)) >= CheckInterval)
        {
            lock (_lock)
            {
                Refresh(_load, _look!);
            }
        }

        return _context;
    }

    private void Refresh(Func<(SslStreamCertificateContext Context, FilesState State)> load, Func<FilesState> look)
    {
        if (_time.GetElapsedTime(_checkedAt) < CheckInterval)
        {
            return;
        }

        Interlocked.Exchange(ref _checkedAt, _time.GetTimestamp());
        var found = look();
        if (found == _state)
        {
            return;
        }

        try
        {
            // The old one is left to the garbage collector: handshakes may be using it.
            (_context, _state) = load();
            LogReloaded(_logger!, found.File, _context.TargetCertificate.NotAfter.ToUniversalTime());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            // Perhaps one of the two files is written already and the other not yet: the next look tries again, and says nothing twice.
            if (_refused != found)
            {
                LogRefused(_logger!, found.File, e.Message);
            }

            _refused = found;
        }
    }

    private static (SslStreamCertificateContext Context, FilesState State) Load(string certificateFile, string keyFile, Func<FilesState> look)
    {
        var state = look();
        using var pem = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
        var intermediates = new X509Certificate2Collection();
        intermediates.ImportFromPemFile(certificateFile);
        if (intermediates.Count > 0)
        {
            intermediates.RemoveAt(0);
        }

        // The TLS layer wants a key that does not come straight from PEM.
        var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        return (SslStreamCertificateContext.Create(certificate, intermediates, offline: true), state);
    }

    [LoggerMessage(110, LogLevel.Information, "New connections get the certificate that is now in {File}, good until {NotAfter:u}")]
    private static partial void LogReloaded(ILogger logger, string file, DateTime notAfter);

    [LoggerMessage(111, LogLevel.Error, "{File} has changed, but cannot be used ({Reason}); new connections get the certificate from before")]
    private static partial void LogRefused(ILogger logger, string file, string reason);

    private readonly record struct FilesState(string File, DateTime CertificateAt, DateTime KeyAt);
}
