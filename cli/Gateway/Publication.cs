using System.Globalization;
using KeepFs.Cli.Settings;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.Engine.Volumes.Gateway;

namespace KeepFs.Cli.Gateway;

/// <summary>
/// Makes the manifest of objects that a gateway serves: one block per segment, with the hint that leads to the gateway and a signature
/// for the operator's token (keep-gateway.md 6).
/// </summary>
/// <param name="signer">With the cluster's key.</param>
/// <param name="token">The token that the catalogue will see.</param>
/// <param name="gatewayUuid">27 characters; null: ordinary keepstores have the blocks.</param>
/// <param name="expiry">Of the signatures.</param>
internal sealed class Publication(LocatorSigner signer, string token, string? gatewayUuid, DateTimeOffset expiry)
{
    private readonly ManifestTree _tree = new();
    private readonly Dictionary<BlockHash, Locator> _locators = [];

    /// <summary>One of the blocks, to try whether the gateway serves it; null when all files are empty.</summary>
    public Locator? Sample { get; private set; }

    public int FileCount { get; private set; }

    public long TotalBytes { get; private set; }

    public void AddDirectory(string path)
    {
        if (_tree.Find(path) is null)
        {
            _tree.Put(path, new ManifestDirectory());
        }
    }

    public void AddFile(string path, CataloguedObject entry)
    {
        _tree.Put(path, new ManifestFile([.. entry.Segments.Where(segment => segment.Length > 0).Select(segment => new ManifestSegment(LocatorOf(segment), 0, segment.Length))]));
        FileCount++;
        TotalBytes += entry.Info.SizeBytes;
    }

    public byte[] ToManifest() => _tree.ToManifest();

    /// <summary>Updates the collection if there is one, else creates one.</summary>
    public async Task<(Collection Record, bool IsNew)> SaveAsync(ClientSession session, string? known, string? name, string defaultName, string? project, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> select = ["uuid", "name", "portable_data_hash", "trash_at"];
        var found = known is null ? null : await session.Catalog.FindCollectionAsync(known, select, cancellationToken);
        var write = new CollectionWrite { Name = name ?? (found is null ? defaultName : null), OwnerUuid = project, ManifestText = ToManifest() };
        var change = new CollectionChange { Collection = write, EnsureUniqueName = found is null ? true : null, Select = select };
        return found is { TrashAt: null }
            ? (await session.Catalog.UpdateCollectionAsync(found.Uuid, change, cancellationToken), false)
            : (await session.Catalog.CreateCollectionAsync(change with { Collection = write with { Name = name ?? defaultName }, EnsureUniqueName = true }, cancellationToken), true);
    }

    private Locator LocatorOf(ObjectSegment segment)
    {
        if (!_locators.TryGetValue(segment.Hash, out var locator))
        {
            var hint = gatewayUuid is null ? "" : "+K@" + gatewayUuid;
            locator = Locator.Parse(signer.Sign(string.Create(CultureInfo.InvariantCulture, $"{segment.Hash}+{segment.Length}{hint}"), token, expiry));
            _locators.Add(segment.Hash, locator);
            Sample ??= locator;
        }

        return locator;
    }
}
