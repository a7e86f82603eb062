namespace KeepFs.Engine.FileSystems;

/// <summary>
/// A file or directory of a collection. State is guarded by the collection's lock. A node is made when somebody first looks it up; what
/// nobody has touched exists only in the saved tree.
/// </summary>
internal abstract class CollectionNode(CollectionFileSystem owner, CollectionDirectory? parent, string name) : INode
{
    public CollectionFileSystem Owner { get; } = owner;

    public ulong Id { get; } = owner.Services.Ids.Next();

    /// <summary>Null for the root and for what was removed.</summary>
    public CollectionDirectory? Parent { get; set; } = parent;

    public string Name { get; set; } = name;

    /// <summary>The saved tree has this node at this place: it was neither created here nor moved since the last save.</summary>
    public bool IsSavedHere { get; set; }

    /// <summary>Set when it was changed in this process; until then the collection's time counts.</summary>
    public DateTimeOffset? ChangedAt { get; set; }

    public bool IsRemoved { get; set; }

    /// <summary>For messages.</summary>
    public string Path => Parent is null ? Name : Parent.Parent is null ? Name : $"{Parent.Path}/{Name}";

    public abstract ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken);

    public async ValueTask SyncAsync(CancellationToken cancellationToken) => await Owner.SaveAsync(cancellationToken);
}
