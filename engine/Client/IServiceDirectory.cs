namespace KeepFs.Engine.Client;

/// <summary>Tells which Keep services there are. Safe for concurrent use.</summary>
public interface IServiceDirectory
{
    /// <summary>The services; cached.</summary>
    /// <param name="refresh">Ask again even if the cached list is young: the last attempt on it failed.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<IReadOnlyList<KeepService>> GetAsync(bool refresh, CancellationToken cancellationToken);
}

/// <summary>A fixed list: tests, and <c>ARVADOS_KEEP_SERVICES</c>.</summary>
public sealed class StaticServiceDirectory(IReadOnlyList<KeepService> services) : IServiceDirectory
{
    /// <summary>Services given by URL: ids are <c>00000-bi6l4-</c> and the index, and all count as non-disk (blocks.md 4.2).</summary>
    public static StaticServiceDirectory OfUrls(IEnumerable<Uri> urls) =>
        new([.. urls.Select((url, i) => new KeepService($"00000-bi6l4-{i:d15}", new Uri(url.AbsoluteUri.TrimEnd('/') + "/"), "proxy", false))]);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<KeepService>> GetAsync(bool refresh, CancellationToken cancellationToken) => new(services);
}
