using System.Net.Security;

namespace KeepFs.KeepstoreHost;

/// <summary>Makes the client with which a keepstore asks other servers.</summary>
internal static class OutgoingHttp
{
    /// <summary>Without a time limit of its own: whoever sends times stalls.</summary>
    /// <param name="isInsecure">Certificates are not verified.</param>
    /// <param name="usesProxy">Requests go through the proxy that the environment names.</param>
    public static HttpClient Create(bool isInsecure, bool usesProxy)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = usesProxy,
            AllowAutoRedirect = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectTimeout = TimeSpan.FromSeconds(10),
        };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, errors) => isInsecure || errors == SslPolicyErrors.None;
        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }
}
