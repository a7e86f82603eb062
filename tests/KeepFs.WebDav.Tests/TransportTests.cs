using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KeepFs.Hosting.Http;
using Microsoft.Extensions.Logging;

namespace KeepFs.WebDav.Tests;

public sealed class TransportTests(TestSite site) : IClassFixture<TestSite>
{
    [Fact]
    public async Task Https_speaks_http_2_for_uploads_and_downloads()
    {
        var uuid = await site.CreateCollectionAsync();
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using var web = await site.StartWebAsync(options => options with { Certificate = ServerCertificate.Of(certificate) });
        using var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, presented, _, _) => presented!.GetCertHashString() == certificate.Thumbprint } };
        using var http = new HttpClient(handler);
        var data = RandomNumberGenerator.GetBytes(5_000_000);
        using var put = await SendAsync("PUT", data);
        Assert.Equal((HttpStatusCode.Created, HttpVersion.Version20), (put.StatusCode, put.Version));
        using var got = await SendAsync("GET", null);
        Assert.Equal(HttpVersion.Version20, got.Version);
        Assert.Equal(data, await got.Content.ReadAsByteArrayAsync());

        async Task<HttpResponseMessage> SendAsync(string method, byte[]? body)
        {
            using var request = site.Request(method, $"/c={uuid}/f", body);
            request.RequestUri = new Uri(web.Addresses.Single() + $"/c={uuid}/f");
            (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
            return await http.SendAsync(request);
        }
    }

    [Fact]
    public async Task Tokens_never_reach_the_log()
    {
        var uuid = await site.CreateCollectionAsync();
        var lines = new ConcurrentQueue<string>();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(new Recorder(lines)).SetMinimumLevel(LogLevel.Trace).AddFilter("Microsoft", LogLevel.Information));
        await using var web = await site.StartWebAsync(options => options with { LoggerFactory = loggers });
        var token = Uri.EscapeDataString(site.Token);
        foreach (var path in (string[])[$"c={uuid}/t={token}/", $"collections/download/{uuid}/{token}/", $"collections/download/{uuid}/{token}/%GG", $"c={uuid}/?api_token={token}"])
        {
            using var request = site.Request("GET", "/");
            request.RequestUri = new Uri($"{web.Addresses.Single()}/{path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
            using var response = await site.Http.SendAsync(request);
        }

        Assert.Contains(lines, line => line.Contains("GET", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains(site.Token[^20..], StringComparison.Ordinal));
    }

    private sealed class Recorder(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
