using Amazon.Runtime;

namespace KeepFs.Volumes.S3;

/// <summary>
/// Makes the HTTP clients of the SDK, which never ask with "Expect: 100-continue" whether a body is wanted: .NET sends a small body
/// even after a refusal, and Ceph's radosgw takes that for the start of the next request.
/// </summary>
internal sealed class ConnectionFactory(TimeSpan connectTimeout, TimeSpan answerTimeout) : HttpClientFactory
{
    // So that a change of the service's address is noticed; connections are cheap beside blocks.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) =>
        new(new UnaskedBodyHandler(new SocketsHttpHandler { ConnectTimeout = connectTimeout, PooledConnectionLifetime = ConnectionLifetime, AllowAutoRedirect = false }))
        {
            // Until an answer begins; whoever reads it sees to the rest.
            Timeout = answerTimeout,
        };

    private sealed class UnaskedBodyHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.ExpectContinue = null;
            return base.SendAsync(request, cancellationToken);
        }
    }
}
