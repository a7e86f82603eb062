using System.Globalization;
using System.Net.Http.Headers;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Hosting.Configuration;

namespace KeepFs.KeepstoreHost;

/// <summary>
/// Good copies from the other keepstores of the configuration. The size of a damaged block is not known for sure, so their indexes are asked
/// first, and then the block itself, as a pull list would.
/// </summary>
internal sealed class OtherKeepstores(ClusterConfig config, string serverUrl, HttpClient http, IBlockFetcher fetcher, BlockBufferPool buffers) : ICopyFinder
{
    private static readonly TimeSpan IndexPatience = TimeSpan.FromSeconds(30);
    private readonly string[] _servers = [.. config.Services.Keepstore.InternalURLs.Keys.Where(url => !MountFactory.SameUrl(url, serverUrl)).Order(StringComparer.Ordinal)];

    public async ValueTask<FoundCopy?> FindAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        KeepException? failure = null;
        foreach (var server in _servers)
        {
            try
            {
                foreach (var size in await ListAsync(server, hash, cancellationToken))
                {
                    if (await TryFetchAsync(server, hash, size, cancellationToken) is { } block)
                    {
                        return new FoundCopy(block, server);
                    }
                }
            }
            catch (Exception e) when (e is HttpRequestException or KeepException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                failure = new KeepException(KeepErrorKind.Unavailable, $"cannot ask {server}: {e.Message}", e);
            }
        }

        return failure is null ? null : throw failure;
    }

    /// <summary>The sizes under which a server lists the block; more than one means that one of them is wrong.</summary>
    private async Task<int[]> ListAsync(string server, BlockHash hash, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(IndexPatience);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{server.TrimEnd('/')}/index/{hash}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", config.SystemRootToken);
        using var response = await http.SendAsync(request, patience.Token);
        response.EnsureSuccessStatusCode();
        var prefix = $"{hash}+";
        return [.. (await response.Content.ReadAsStringAsync(patience.Token)).Split('\n')
            .Where(line => line.StartsWith(prefix, StringComparison.Ordinal))
            .Select(line => int.TryParse(line[prefix.Length..].Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : -1)
            .Where(size => size is >= 0 and <= Locator.MaxBlockSizeBytes)
            .Distinct()];
    }

    /// <summary>Null when the server's copy is bad or gone: that is no reason to ask again later.</summary>
    private async Task<BlockBuffer?> TryFetchAsync(string server, BlockHash hash, int size, CancellationToken cancellationToken)
    {
        var buffer = await buffers.RentAsync(size, cancellationToken);
        try
        {
            await fetcher.FetchAsync(Locator.Parse($"{hash}+{size.ToString(CultureInfo.InvariantCulture)}"), [server], buffer, cancellationToken);
            return buffer;
        }
        catch (KeepException e) when (e.Kind is KeepErrorKind.NotFound or KeepErrorKind.Corrupt)
        {
            buffer.Release();
            return null;
        }
        catch
        {
            buffer.Release();
            throw;
        }
    }
}
