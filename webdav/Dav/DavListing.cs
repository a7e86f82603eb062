using KeepFs.Engine.Catalog;

namespace KeepFs.WebDav.Dav;

/// <summary>What a PROPFIND answers from, complete but for the properties, which come in while it is written.</summary>
/// <param name="Entries">In the order of a walk through the tree, or by name in projects.</param>
/// <param name="Locks">Of everything listed.</param>
/// <param name="Properties">
/// Dead properties. Of one collection in the order of its entries; of a project's collections, see <paramref name="ArePropertiesByCollection"/>, in any.
/// </param>
/// <param name="ArePropertiesByCollection">The entries are whole collections.</param>
internal sealed record DavListing(
    IEnumerable<DavEntry> Entries, IReadOnlyList<DavLock> Locks, IAsyncEnumerable<DavProperty>? Properties, bool ArePropertiesByCollection)
{
    /// <summary>What the quotas leave to whoever owns the place; null when none does or nobody asked.</summary>
    public long? AvailableBytes { get; init; }
}
