namespace KeepFs.Engine.FileSystems;

/// <summary>A directory that exists only in the mount, such as its root: fixed entries, nothing to create or remove.</summary>
internal sealed class VirtualDirectory(SiteFileSystem site, IReadOnlyDictionary<string, INode> entries) : SiteDirectory(site)
{
    public override ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken) =>
        new(new NodeAttributes(NodeKind.Directory, 0, Site.StartedAt, IsWritable: false, IsCacheable: true));

    public override ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken) => new(entries.GetValueOrDefault(name));

    public override ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken) => new(Sorted(entries));
}
