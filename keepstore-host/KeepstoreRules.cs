using System.Net;
using KeepFs.Hosting.Configuration;

namespace KeepFs.KeepstoreHost;

/// <summary>What a keepstore needs from the configuration before it may start (keepstore-http.md 2 and 11, spec decision 2).</summary>
internal static class KeepstoreRules
{
    /// <summary>Adds faults and returns where to listen: an address, or a port on all of them.</summary>
    public static (IPEndPoint? Address, int Port) Check(ClusterConfig config, string serverUrl, KeepstoreServerOptions options, List<string> faults)
    {
        var cluster = $"Clusters.{config.ClusterId}";
        if (config.SystemRootToken.Length == 0)
        {
            faults.Add($"{cluster}.SystemRootToken: must be set, or anybody could list and delete blocks");
        }

        if (config.Collections is { BlobSigning: true, BlobSigningKey: "" })
        {
            faults.Add($"{cluster}.Collections.BlobSigningKey: must be set while BlobSigning is on");
        }

        if (config.API.MaxKeepBlobBuffers <= 0)
        {
            faults.Add($"{cluster}.API.MaxKeepBlobBuffers: must be positive");
        }

        var (url, service) = config.Services.Keepstore.InternalURLs.Concat(config.Services.Keepgw.InternalURLs).FirstOrDefault(entry => MountFactory.SameUrl(entry.Key, serverUrl));
        if (service is null)
        {
            faults.Add($"{cluster}.Services.Keepstore.InternalURLs: has no entry {serverUrl}, nor has Services.Keepgw");
            return default;
        }

        if (options.Listen is not null)
        {
            return (options.Listen, 0);
        }

        if (!Uri.TryCreate(service.ListenURL.Length > 0 ? service.ListenURL : url, UriKind.Absolute, out var listen))
        {
            faults.Add($"{cluster}.Services.Keepstore.InternalURLs.{url}: is not a URL");
            return default;
        }

        if (listen.Scheme == Uri.UriSchemeHttps && options.Certificate is null)
        {
            faults.Add($"{cluster}.TLS: https needs a certificate");
        }

        // A host name may stand for any interface of this machine.
        return IPAddress.TryParse(listen.Host.Trim('[', ']'), out var address) ? (new IPEndPoint(address, listen.Port), 0)
            : listen.IsLoopback ? (new IPEndPoint(IPAddress.Loopback, listen.Port), 0)
            : (null, listen.Port);
    }
}
