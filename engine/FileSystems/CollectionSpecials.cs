using System.Globalization;
using KeepFs.Engine.Catalog;

namespace KeepFs.Engine.FileSystems;

/// <summary>What the root of a collection has beside its content: <c>.arvados#collection</c>, versions, extended attributes. None of it is listed.</summary>
internal sealed class CollectionSpecials(CollectionEntry entry, ICatalog catalog)
{
    private static readonly string[] VersionFields = ["uuid", "version", "portable_data_hash"];
    private readonly Lock _lock = new();
    private GeneratedFile? _record;
    private VersionsDirectory? _versions;
    private MomentsDirectory? _moments;
    private (Collection Record, long AskedAt)? _version;

    /// <summary><c>.arvados#collection</c> (mount.md section 3).</summary>
    public GeneratedFile Record
    {
        get
        {
            lock (_lock)
            {
                return _record ??= new GeneratedFile(entry.Site, GenerateAsync);
            }
        }
    }

    /// <summary><c>@versions</c> and <c>@at</c>; null for other names and where there is only one version.</summary>
    public INode? Find(string name)
    {
        if (entry.Kind != CollectionKind.Current)
        {
            return null;
        }

        lock (_lock)
        {
            return name switch
            {
                VersionsDirectory.EntryName => _versions ??= new VersionsDirectory(entry.Site, entry.CollectionId),
                MomentsDirectory.EntryName => _moments ??= new MomentsDirectory(entry.Site, entry.CollectionId),
                _ => null,
            };
        }
    }

    public async ValueTask<IReadOnlyDictionary<string, string>> GetExtendedAttributesAsync(CancellationToken cancellationToken)
    {
        if (entry.Kind == CollectionKind.Temporary)
        {
            return AttributesOf(null, entry.Opened?.PortableDataHash, null);
        }

        if (entry.Kind == CollectionKind.Content)
        {
            return AttributesOf(null, entry.CollectionId, null);
        }

        var hash = entry.Opened?.PortableDataHash;
        var record = await VersionAsync(hash, cancellationToken);
        return AttributesOf(entry.CollectionId, hash ?? record.PortableDataHash, record.Version);
    }

    private static Dictionary<string, string> AttributesOf(string? uuid, string? portableDataHash, int? version)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        Add("user.keepfs.uuid", uuid);
        Add("user.keepfs.portable_data_hash", portableDataHash);
        Add("user.keepfs.version", version?.ToString(CultureInfo.InvariantCulture));
        return attributes;

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                attributes.Add(name, value);
            }
        }
    }

    /// <summary>Programs such as ls ask for attributes of everything: one answer serves for the refresh time, unless the content moved on.</summary>
    private async ValueTask<Collection> VersionAsync(string? portableDataHash, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_version is { } known && entry.Site.IsFresh(known.AskedAt)
                && (portableDataHash is null || Manifests.PortableDataHash.Matches(portableDataHash, known.Record.PortableDataHash)))
            {
                return known.Record;
            }
        }

        var asked = entry.Site.Services.Time.GetTimestamp();
        var record = await SiteFileSystem.AskAsync(catalog, asks => asks.FindCollectionAsync(entry.CollectionId, VersionFields, cancellationToken))
            ?? throw new FsException(FsError.Stale, $"Collection {entry.CollectionId} does not exist any more.");
        lock (_lock)
        {
            _version = (record, asked);
        }

        return record;
    }

    /// <summary>Everything written is saved first and what others saved is merged, so the record is always current.</summary>
    private async ValueTask<ReadOnlyMemory<byte>> GenerateAsync(CancellationToken cancellationToken)
    {
        var open = await entry.OpenAsync(cancellationToken);
        await open.SaveAsync(cancellationToken);
        await open.RefreshAsync(cancellationToken);
        using var record = await SiteFileSystem.AskAsync(catalog, asks => asks.FindRecordAsync(entry.CollectionId, cancellationToken))
            ?? throw new FsException(FsError.Stale, $"Collection {entry.CollectionId} does not exist any more.");
        return RecordText.Format(record.RootElement);
    }
}
