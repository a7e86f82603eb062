using System.Security.Cryptography;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;
using KeepFs.Engine.Client;
using KeepFs.Engine.Mounts;
using KeepFs.Hosting.Configuration;

namespace KeepFs.KeepstoreHost;

/// <summary>
/// Reads blocks from the servers of a pull list with a token that nobody issued: keepstores check only that the locator was signed
/// for the token that comes with it, and the key is the cluster's (keepstore-http.md 10).
/// </summary>
internal sealed class PullFetcher(CollectionsConfig config, HttpClient http, TimeProvider time, HashService? hashing) : IBlockFetcher
{
    // One pass: the author of the list will see that the block is still missing and name it again.
    private readonly KeepClientOptions _options = new()
    {
        Token = RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", 36),
        Attempts = 1,
    };

    private readonly LocatorSigner _signer = new(config.BlobSigningKey, config.BlobSigningTTL);

    public async ValueTask FetchAsync(Locator locator, IReadOnlyList<string> servers, BlockBuffer destination, CancellationToken cancellationToken)
    {
        // The text of the URL is the id that decides the order (blocks.md 4.1, Q4). Not a URL: nothing to ask.
        var services = servers
            .Select(server => Uri.TryCreate(server.TrimEnd('/') + "/", UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? new KeepService(server, url, "disk", true) : null)
            .OfType<KeepService>()
            .DistinctBy(service => service.Uuid)
            .ToArray();
        var signed = Locator.Parse(_signer.Sign(locator.ToString(), _options.Token, time.GetUtcNow() + _signer.Lifetime));
        await new KeepClient(http, new StaticServiceDirectory(services), _options, time, Random.Shared, hashing).FetchAsync(signed, destination, cancellationToken);
    }
}
