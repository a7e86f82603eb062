namespace KeepFs.Engine.Catalog;

/// <summary>What the page of keep-web does with the catalogue beside reading and writing. Every call throws <see cref="CatalogException"/> when it fails. Safe for concurrent use.</summary>
public interface IPageCatalog
{
    /// <summary>A new token of the same user; returns its secret.</summary>
    /// <param name="scopes">What it may do (catalog-api.md section 8).</param>
    /// <param name="expiresAt">When it ends.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<string> CreateTokenAsync(IReadOnlyList<string> scopes, DateTimeOffset expiresAt, CancellationToken cancellationToken);

    /// <summary>Takes a collection or project out of the trash; a name that is taken by now gets a suffix.</summary>
    Task UntrashAsync(string uuid, CancellationToken cancellationToken);
}
