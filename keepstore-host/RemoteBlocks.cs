using System.Collections.Concurrent;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;
using KeepFs.Engine.Client;
using KeepFs.Hosting.Configuration;

namespace KeepFs.KeepstoreHost;

/// <summary>
/// Reads blocks of other clusters (<c>+R</c>, keepstore-http.md 5 and blocks.md 3.4) with a token that is salted for each, so that no
/// cluster can use it anywhere else. Safe for concurrent use.
/// </summary>
internal sealed class RemoteBlocks(IReadOnlyDictionary<string, RemoteClusterConfig> clusters, TimeProvider time, HashService? hashing) : IDisposable
{
    private const int ClusterLength = 5;

    // "R", cluster, "-" and at least one character of a signature.
    private const int ShortestHint = ClusterLength + 3;

    // Somebody waits and a buffer is held: one more try shortly after, then the client may try elsewhere.
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);
    private readonly ConcurrentDictionary<string, Lazy<Remote>> _remotes = new();

    /// <summary>The cluster and the locator under which it knows the block.</summary>
    /// <exception cref="RemoteRequestException">The locator has no usable hint, or names a cluster that is not configured.</exception>
    public (string Cluster, Locator Locator) Resolve(Locator locator)
    {
        var hints = locator.HintsOfType('R').Where(IsWellFormed).ToArray();
        var cluster = hints.Length > 0 ? hints[0].Substring(1, ClusterLength) : throw new RemoteRequestException(400, "invalid remote hint");
        if (!clusters.TryGetValue(cluster, out var remote) || remote.Host.Length == 0)
        {
            throw new RemoteRequestException(400, "remote cluster not configured");
        }

        // Other hints stay behind: +K could send the token to a third party.
        var signatures = hints.Where(hint => hint.AsSpan(1, ClusterLength).SequenceEqual(cluster)).Select(hint => "+A" + hint[(ClusterLength + 2)..]);
        return (cluster, Locator.Parse(new Locator(locator.Hash, locator.SizeBytes) + string.Concat(signatures)));
    }

    /// <summary>Salts the request's token.</summary>
    /// <exception cref="RemoteRequestException">It has no form that can be salted.</exception>
    public static string Salt(string token, string cluster)
    {
        try
        {
            return TokenSalt.ForCluster(token, cluster);
        }
        catch (FormatException e)
        {
            throw new RemoteRequestException(e.Message.StartsWith("obsolete", StringComparison.Ordinal) ? 400 : 500, e.Message);
        }
    }

    /// <summary>Fills the buffer with the verified block.</summary>
    /// <exception cref="KeepException">NotFound: no service of the cluster gave it. Corrupt: what they gave does not match.</exception>
    public async ValueTask FetchAsync(string cluster, Locator locator, string saltedToken, BlockBuffer destination, CancellationToken cancellationToken)
    {
        var remote = _remotes.GetOrAdd(cluster, static (id, self) => new Lazy<Remote>(() => self.Connect(id)), this).Value;
        var options = new KeepClientOptions { Token = saltedToken, Attempts = 2, FirstRetryDelay = RetryDelay };
        try
        {
            await new KeepClient(remote.Http, remote.Services, options, time, Random.Shared, hashing).FetchAsync(locator, destination, cancellationToken);
        }
        catch (Exception e) when (e is OperationCanceledException ? !cancellationToken.IsCancellationRequested : e is not KeepException { Kind: KeepErrorKind.Corrupt })
        {
            // Also an answer of the other cluster that makes no sense: nothing that it does may look like our failure.
            throw new KeepException(KeepErrorKind.NotFound, $"Cluster {cluster} did not give {locator.Hash}: {e.Message}", e);
        }
    }

    public void Dispose()
    {
        foreach (var remote in _remotes.Values)
        {
            remote.Value.Services.Dispose();
            remote.Value.Http.Dispose();
        }
    }

    private static bool IsWellFormed(string hint) => hint.Length >= ShortestHint && hint[ClusterLength + 1] == '-';

    private Remote Connect(string id)
    {
        var cluster = clusters[id];
        var http = OutgoingHttp.Create(cluster.Insecure, usesProxy: true);

        // The list of services needs no token (catalog-api.md 3), so nobody's is used for what all share.
        return new Remote(http, new ServiceDirectory(http, new Uri($"{cluster.Scheme}://{cluster.Host}/"), "", time));
    }

    private sealed record Remote(HttpClient Http, ServiceDirectory Services);
}

/// <summary>Why a remote block cannot be asked for.</summary>
internal sealed class RemoteRequestException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;
}
