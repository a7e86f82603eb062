using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;

namespace KeepFs.WebDav.Sessions;

/// <summary>A collection in the state that the catalogue had when the request asked. Immutable; the tree must not be changed.</summary>
/// <param name="Id">What it was opened by: UUID or portable data hash.</param>
/// <param name="Record">Everything but the manifest.</param>
/// <param name="Index">The parsed manifest with locators signed for the session's token.</param>
internal sealed record OpenCollection(string Id, Collection Record, ManifestIndex Index)
{
    /// <summary>In <see cref="Collection.DavState"/>: something in the collection has dead properties.</summary>
    public const char PropertyFlag = 'p';

    /// <summary>Found by content or as an old version: cannot be changed.</summary>
    public bool IsReadOnly => PortableDataHash.IsPortableDataHash(Id) || (Record.CurrentVersionUuid is { Length: > 0 } current && current != Record.Uuid);

    /// <summary>The time of all its files; content found by hash has none, so one is used that never makes a client think it is newer.</summary>
    public DateTimeOffset ModifiedAt => Record.ModifiedAt ?? DateTimeOffset.UnixEpoch;

    /// <summary>A view for one request; nodes are made as they are looked up.</summary>
    public ManifestTree Tree { get; } = ManifestTree.Of(Index);

    /// <summary>How its new blocks are to be stored.</summary>
    public BlockWriteOptions WriteOptions => WriteOptionsOf(Record);

    public static BlockWriteOptions WriteOptionsOf(Collection record) => new(record.ReplicationDesired, record.StorageClassesDesired ?? []);
}
