using KeepFs.Engine.Blocks.Hashing;

namespace KeepFs.Engine.Client;

/// <summary>
/// Reads and writes blocks on the keepstores of a cluster over HTTP: rendezvous order, replicas, storage classes, retries, and an MD5
/// check of everything that is read (blocks.md sections 4 to 7). Safe for concurrent use; caching is <see cref="CachedBlockStore"/>'s.
/// </summary>
/// <param name="http">Owned by the caller. Its own timeout must be infinite: stalls are timed per read.</param>
/// <param name="services">Which services there are.</param>
/// <param name="options">Token, replicas, retries.</param>
/// <param name="time">For delays and timeouts.</param>
/// <param name="random">Draws the delays; a seeded one makes tests repeat.</param>
/// <param name="hashing">Hashes blocks that are under way at the same time together, owned by the caller; null: each on its own.</param>
public sealed partial class KeepClient(
    HttpClient http, IServiceDirectory services, KeepClientOptions options, TimeProvider time, Random random, HashService? hashing = null) : IBlockSource
{
    /// <summary>Of a GET: the client verifies what arrives, so the keepstore need not (decision 0043). Other keepstores do not know it.</summary>
    public const string VerifiesHeader = "X-KeepFs-Client-Verifies";

    /// <summary>Of the answer: the keepstore has not verified it. Who finds it wrong asks again without <see cref="VerifiesHeader"/>; then the keepstore finds the bad copy and sends another.</summary>
    public const string UnverifiedHeader = "X-KeepFs-Unverified";

    private const int RemoteHintLength = 7;
    private const int GatewayHintLength = 29;

    /// <summary>Answers after which a service may be asked again (blocks.md section 6 and 7).</summary>
    private static bool IsRetryable(int status) => status is 408 or 429 or >= 500 and not 507;

    private static KeepService? FromHint(string hint, IReadOnlyList<KeepService> known)
    {
        if (!hint.StartsWith("K@", StringComparison.Ordinal))
        {
            return null;
        }

        var id = hint[2..];
        return hint.Length switch
        {
            RemoteHintLength => new KeepService(id, new Uri($"https://keep.{id}.arvadosapi.com/"), "proxy", true),
            GatewayHintLength => known.FirstOrDefault(service => service.Uuid == id),
            _ => null,
        };
    }

    private HttpRequestMessage Request(HttpMethod method, KeepService service, string path)
    {
        var request = new HttpRequestMessage(method, new Uri(service.BaseUri, path));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + options.Token);
        if (options.RequestId is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Request-Id", options.RequestId);
        }

        return request;
    }

    private Task DelayAsync(int attempt, CancellationToken cancellationToken)
    {
        var most = TimeSpan.FromTicks(Math.Min(options.FirstRetryDelay.Ticks << Math.Min(attempt, 16), options.MaxRetryDelay.Ticks));
        double factor;
        lock (random)
        {
            factor = random.NextDouble();
        }

        return Task.Delay(TimeSpan.FromMilliseconds(1) + (most * factor), time, cancellationToken);
    }

    private static string Describe(IEnumerable<KeyValuePair<KeepService, Failure>> failures) =>
        string.Join("; ", failures.Select(failure => $"{failure.Key.BaseUri.Authority}: {failure.Value.Message}"));

    private static async Task<string> ErrorTextAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        const int maxShownChars = 200;
        var text = response.Content.Headers.ContentLength is > 4096 ? "" : (await response.Content.ReadAsStringAsync(cancellationToken)).Trim();
        return $"HTTP {(int)response.StatusCode} {(text.Length > maxShownChars ? text[..maxShownChars] : text)}".TrimEnd();
    }

    private enum FailureKind
    {
        NotFound,
        Denied,
        Corrupt,
        Full,
        Final,
        Retryable,
    }

    private readonly record struct Failure(FailureKind Kind, string Message);
}
