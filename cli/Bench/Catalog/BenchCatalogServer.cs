using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using KeepFs.Catalog;
using KeepFs.Cli.Up;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using Microsoft.Extensions.Logging;

namespace KeepFs.Cli.Bench.Catalog;

/// <summary>The catalogue alone in a process, as <c>keepfs up</c> runs it among the others: so its memory and processor time are its own.</summary>
internal static class BenchCatalogServer
{
    /// <summary>Serves until it is cancelled.</summary>
    /// <param name="configFile">Its cluster.</param>
    /// <param name="port">On loopback, with TLS and a certificate of its own.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task RunAsync(string configFile, int port, CancellationToken cancellationToken)
    {
        var (certificate, key) = SelfSigned.Create(["127.0.0.1"], TimeProvider.System);
        using var pair = X509Certificate2.CreateFromPem(certificate, key);
        using var loggers = LoggerFactory.Create(logging => logging
            .SetMinimumLevel(LogLevel.Warning)
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
        await using var server = CatalogServer.Create(
            ClusterConfigLoader.Load(configFile).Config, new CatalogServerOptions { Listen = new IPEndPoint(IPAddress.Loopback, port) }, ServerCertificate.Of(pair), TimeProvider.System, loggers);
        await server.StartAsync(cancellationToken);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"the catalogue listens on port {port}"));
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await server.StopAsync(CancellationToken.None);
        }
    }
}
