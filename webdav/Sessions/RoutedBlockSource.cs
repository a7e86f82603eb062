using System.Collections.Concurrent;
using System.Globalization;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Client;

namespace KeepFs.WebDav.Sessions;

/// <summary>
/// What lies below the cache that all sessions share: sends a fetch to the client of the session that asked first. The cache passes on nothing but
/// the locator, so the session's number travels in it as a last hint <c>+Z</c>, which is cut off here and never leaves the process.
/// </summary>
internal sealed class RoutedBlockSource : IBlockSource
{
    private const string Hint = "+Z";
    private readonly ConcurrentDictionary<long, KeepClient> _clients = new();
    private long _last;

    public long Add(KeepClient client)
    {
        var route = Interlocked.Increment(ref _last);
        _clients[route] = client;
        return route;
    }

    public void Remove(long route) => _clients.TryRemove(route, out _);

    public static Locator WithRoute(Locator locator, long route) =>
        Locator.Parse(string.Create(CultureInfo.InvariantCulture, $"{locator}{Hint}{route}"));

    public ValueTask FetchAsync(Locator locator, BlockBuffer destination, CancellationToken cancellationToken)
    {
        var text = locator.ToString();
        var at = text.LastIndexOf(Hint, StringComparison.Ordinal);
        if (!_clients.TryGetValue(long.Parse(text.AsSpan(at + Hint.Length), NumberStyles.None, CultureInfo.InvariantCulture), out var client))
        {
            throw new KeepException(KeepErrorKind.Unavailable, $"Block {locator.Hash}: the session that asked for it has ended.");
        }

        return client.FetchAsync(Locator.Parse(text[..at]), destination, cancellationToken);
    }

    /// <summary>Never called: sessions write with their own client.</summary>
    public ValueTask<WrittenBlock> WriteAsync(ReadOnlyMemory<byte> data, BlockWriteOptions wish, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Blocks are written by a session's client, not through the shared cache.");
}
