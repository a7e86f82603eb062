using System.Globalization;
using System.Runtime.CompilerServices;

namespace KeepFs.Engine.Catalog;

/// <content>What WebDAV keeps in our own catalogue, outside the Arvados API.</content>
public sealed partial class CatalogClient : IDavCatalog
{
    private const string Locks = "/keepfs/v1/locks";
    private const string DeadProperties = "/keepfs/v1/properties";

    /// <inheritdoc/>
    public async Task<IReadOnlyList<DavLock>> ListLocksAsync(string uuid, CancellationToken cancellationToken) =>
        (await GetAsync($"{Locks}?uuid={uuid}", DavJson.Default.DavLockList, cancellationToken)).Items;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<DavLock>> ListLocksOfOwnerAsync(string ownerUuid, CancellationToken cancellationToken) =>
        (await GetOrNullAsync($"{Locks}?owner_uuid={ownerUuid}", DavJson.Default.DavLockList, cancellationToken))?.Items ?? [];

    /// <inheritdoc/>
    public Task<DavLock> AddLockAsync(DavLockRequest request, CancellationToken cancellationToken) =>
        WriteAsync(HttpMethod.Post, Locks, request, DavJson.Default.DavLockRequest, DavJson.Default.DavLock, cancellationToken);

    /// <inheritdoc/>
    public Task<DavLock?> RefreshLockAsync(DavLock wanted, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Put, PathOf(wanted) + $"&seconds={wanted.Seconds.ToString(CultureInfo.InvariantCulture)}", null, DavJson.Default.DavLock, notFoundIsNull: true, cancellationToken);

    /// <inheritdoc/>
    public Task<DavLock?> RemoveLockAsync(DavLock ended, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, PathOf(ended), null, DavJson.Default.DavLock, notFoundIsNull: true, cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<DavProperty> ListPropertiesAsync(string uuid, string path, int depth, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var query = $"{DeadProperties}?uuid={uuid}&path={Uri.EscapeDataString(path)}&depth={(depth > 1 ? "infinity" : depth.ToString(CultureInfo.InvariantCulture))}";
        var after = "";
        while (true)
        {
            var page = await GetAsync(query + after, DavJson.Default.DavPropertyPage, cancellationToken);
            foreach (var item in page.Items)
            {
                yield return item;
            }

            if (!page.HasMore)
            {
                yield break;
            }

            after = "&after=" + Uri.EscapeDataString("/" + page.Items[^1].Path);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<DavProperty> ListPropertiesOfOwnerAsync(string ownerUuid, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = "";
        while (await GetOrNullAsync($"{DeadProperties}?owner_uuid={ownerUuid}&after={after}", DavJson.Default.DavPropertyPage, cancellationToken) is { } page)
        {
            foreach (var item in page.Items)
            {
                yield return item;
            }

            if (!page.HasMore)
            {
                yield break;
            }

            after = page.Items[^1].Uuid;
        }
    }

    /// <inheritdoc/>
    public async Task<OwnerUsage?> FindUsageAsync(string ownerUuid, CancellationToken cancellationToken)
    {
        try
        {
            return await GetOrNullAsync($"/keepfs/v1/usage/{ownerUuid}", DavJson.Default.OwnerUsage, cancellationToken);
        }
        catch (CatalogException e) when (e.Kind == CatalogErrorKind.Forbidden)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async Task PatchPropertiesAsync(DavPropertyPatch patch, CancellationToken cancellationToken) =>
        await WriteAsync(HttpMethod.Put, DeadProperties, patch, DavJson.Default.DavPropertyPatch, DavJson.Default.DavPropertyPage, cancellationToken);

    private static string PathOf(DavLock wanted) =>
        $"{Locks}/{Uri.EscapeDataString(wanted.Token)}?uuid={wanted.Uuid}&path={Uri.EscapeDataString(wanted.Path)}";
}
