using KeepFs.Engine.FileSystems.Journal;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// A directory of a collection: the saved directory, and over it the nodes that somebody looked up, made or removed. State is guarded by the
/// collection's lock.
/// </summary>
internal sealed class CollectionDirectory : CollectionNode, IDirectoryNode
{
    public CollectionDirectory(CollectionFileSystem owner, CollectionDirectory? parent, string name, ManifestDirectory? stored)
        : base(owner, parent, name) => Stored = stored;

    /// <summary>Provides the entries that <see cref="Overlay"/> does not name; null for a new directory.</summary>
    public ManifestDirectory? Stored { get; set; }

    /// <summary>Nodes by name; null hides a saved entry that was removed or moved away.</summary>
    public Dictionary<string, CollectionNode?> Overlay { get; } = new(StringComparer.Ordinal);

    /// <summary>Something in or below this directory is not saved.</summary>
    public bool IsDirtyBelow { get; set; }

    public bool IsEmpty => Overlay.Values.All(node => node is null) && (Stored is null || Stored.Names().All(entry => Overlay.ContainsKey(entry.Name)));

    public override ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken)
    {
        lock (Owner.Lock)
        {
            return new(new NodeAttributes(NodeKind.Directory, 0, ChangedAt ?? Owner.ModifiedAt, Owner.IsWritable, IsCacheable: true));
        }
    }

    public ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken)
    {
        lock (Owner.Lock)
        {
            return new(Find(name));
        }
    }

    public ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken)
    {
        lock (Owner.Lock)
        {
            var entries = new List<DirectoryEntry>();
            foreach (var (name, isDirectory) in Stored?.Names() ?? [])
            {
                if (!Overlay.ContainsKey(name))
                {
                    entries.Add(new DirectoryEntry(name, isDirectory ? NodeKind.Directory : NodeKind.File, 0));
                }
            }

            var stored = entries.Count;
            foreach (var (name, node) in Overlay)
            {
                if (node is not null)
                {
                    entries.Add(new DirectoryEntry(name, node is CollectionDirectory ? NodeKind.Directory : NodeKind.File, node.Id));
                }
            }

            if (entries.Count > stored)
            {
                entries.Sort(static (a, b) => Utf8Order.Instance.Compare(a.Name, b.Name));
            }

            return new((IReadOnlyList<DirectoryEntry>)entries);
        }
    }

    public ValueTask<IFileNode> CreateFileAsync(string name, CancellationToken cancellationToken) => CreateFileAsync(name, this, cancellationToken);

    /// <param name="name">Its name.</param>
    /// <param name="by">The node that stands for this directory where the call came from.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<IFileNode> CreateFileAsync(string name, INode by, CancellationToken cancellationToken)
    {
        await Owner.MakeRoomAsync(cancellationToken);
        CollectionFile file;
        lock (Owner.Lock)
        {
            CheckMayAdd(name);
            file = new CollectionFile(Owner, this, name, new ManifestFile([]));
            Place(name, file);
            file.MarkDirty();
            Owner.Journal?.Create(file);
        }

        Owner.Places?.Edited(this, name, by);
        await Owner.EnsureJournaledAsync(cancellationToken);
        return file;
    }

    public ValueTask<IDirectoryNode> CreateDirectoryAsync(string name, CancellationToken cancellationToken) => CreateDirectoryAsync(name, this, cancellationToken);

    /// <inheritdoc cref="CreateFileAsync(string, INode, CancellationToken)"/>
    public async ValueTask<IDirectoryNode> CreateDirectoryAsync(string name, INode by, CancellationToken cancellationToken)
    {
        await Owner.MakeRoomAsync(cancellationToken);
        CollectionDirectory directory;
        lock (Owner.Lock)
        {
            CheckMayAdd(name);
            directory = new CollectionDirectory(Owner, this, name, null);
            Place(name, directory);
            Owner.Journal?.MakeDirectory(directory.Path);
            Owner.ScheduleSave();
        }

        Owner.Places?.Edited(this, name, by);
        await Owner.EnsureJournaledAsync(cancellationToken);
        return directory;
    }

    public ValueTask RemoveAsync(string name, NodeKind kind, CancellationToken cancellationToken) => RemoveAsync(name, kind, this, cancellationToken);

    /// <inheritdoc cref="CreateFileAsync(string, INode, CancellationToken)"/>
    public async ValueTask RemoveAsync(string name, NodeKind kind, INode by, CancellationToken cancellationToken)
    {
        await Owner.MakeRoomAsync(cancellationToken);
        lock (Owner.Lock)
        {
            Owner.CheckWritable(Path);
            var node = Find(name) ?? throw NotFound(name);
            switch (node, kind)
            {
                case (CollectionDirectory, NodeKind.File):
                    throw new FsException(FsError.IsADirectory, $"\"{name}\" is a directory.");
                case (CollectionFile, NodeKind.Directory):
                    throw new FsException(FsError.NotADirectory, $"\"{name}\" is a file.");
                case (CollectionDirectory { IsEmpty: false }, _):
                    throw new FsException(FsError.NotEmpty, $"The directory \"{name}\" is not empty.");
            }

            Owner.Journal?.Remove(node.Path, Fingerprint(node));
            Detach(name);
            Owner.ScheduleSave();
        }

        Owner.Places?.Edited(this, name, by);
        await Owner.EnsureJournaledAsync(cancellationToken);
    }

    public ValueTask RenameAsync(string name, IDirectoryNode target, string targetName, bool mayReplace, CancellationToken cancellationToken) =>
        RenameAsync(name, target, targetName, mayReplace, this, cancellationToken);

    /// <inheritdoc cref="CreateFileAsync(string, INode, CancellationToken)"/>
    public async ValueTask RenameAsync(string name, IDirectoryNode target, string targetName, bool mayReplace, INode by, CancellationToken cancellationToken)
    {
        var at = target;
        target = target switch
        {
            CollectionEntry { Opened: { } opened } => opened.RootNode,
            CollectionView view => view.Shown,
            _ => target,
        };
        if (target is not CollectionDirectory into || into.Owner != Owner)
        {
            throw new FsException(
                target is CollectionDirectory ? FsError.CrossDevice : FsError.NotPermitted, $"\"{name}\" can only be renamed inside its collection; copy it instead.");
        }

        await Owner.MakeRoomAsync(cancellationToken);
        lock (Owner.Lock)
        {
            Owner.CheckWritable(Path);
            var node = Find(name) ?? throw NotFound(name);
            NodeName.Check(targetName);
            into.CheckExists();
            if (into == this && name == targetName)
            {
                return;
            }

            for (var above = into; above is not null; above = above.Parent)
            {
                if (above == node)
                {
                    throw new FsException(FsError.InvalidArgument, $"\"{name}\" cannot be moved into itself.");
                }
            }

            var replaced = into.Find(targetName);
            if (replaced is not null)
            {
                CheckMayReplace(node, replaced, targetName, mayReplace);
            }

            Owner.Journal?.Rename(node.Path, into.PathOf(targetName), Fingerprint(node), replaced is null ? default : Fingerprint(replaced));
            if (replaced is not null)
            {
                into.Detach(targetName);
            }

            Unlink(name);
            node.IsSavedHere = false;
            into.Place(targetName, node);
            Owner.ScheduleSave();
        }

        Owner.Places?.Edited(this, name, by);

        // Another place's node of a directory has come along: it is asked for again there.
        Owner.Places?.Edited(into, targetName, PlaceOf(by) == PlaceOf(at) ? at : null);
        await Owner.EnsureJournaledAsync(cancellationToken);
    }

    private CollectionEntry? PlaceOf(INode node) => node as CollectionEntry ?? (node as CollectionView)?.Place ?? Owner.Places?.First;

    private string PathOf(string name) => Parent is null ? name : $"{Path}/{name}";

    /// <summary>Which saved content a removal or a move is about; not known for directories and for what is not saved.</summary>
    private static ContentFingerprint Fingerprint(CollectionNode node) =>
        node is CollectionFile { IsDirty: false } file && file.StoredContent() is { } stored ? ContentFingerprint.Of(stored) : default;

    /// <summary>Under the lock: the node of that name, made if need be.</summary>
    public CollectionNode? Find(string name)
    {
        if (Overlay.TryGetValue(name, out var node))
        {
            return node;
        }

        node = Stored?.Find(name) switch
        {
            ManifestFile file => new CollectionFile(Owner, this, name, file),
            ManifestDirectory directory => new CollectionDirectory(Owner, this, name, directory),
            _ => null,
        };
        if (node is not null)
        {
            node.IsSavedHere = true;
            Overlay.Add(name, node);
        }

        return node;
    }

    /// <summary>The node of that name, if somebody has looked it up.</summary>
    public CollectionNode? FindLoaded(string name)
    {
        lock (Owner.Lock)
        {
            return Overlay.GetValueOrDefault(name);
        }
    }

    /// <summary>Under the lock: puts a node here that the saved tree does not have here.</summary>
    public void Place(string name, CollectionNode node)
    {
        (node.Parent, node.Name) = (this, name);
        Overlay[name] = node;
        MarkChanged();
    }

    /// <summary>Under the lock: takes a node out for good, with everything below it.</summary>
    public void Detach(string name)
    {
        if (Find(name) is { } node)
        {
            Unlink(name);
            node.Parent = null;
            SetRemoved(node);
        }
    }

    /// <summary>Under the lock: takes a name out and leaves a mark if the saved tree still has it.</summary>
    public void Unlink(string name)
    {
        // A save under way may be about to put something there, not even what has the name now, so the saved tree alone does not tell.
        if (Owner.IsSaving || Stored?.Find(name) is not null || (Overlay.TryGetValue(name, out var node) && node is { IsSavedHere: true }))
        {
            Overlay[name] = null;
        }
        else
        {
            Overlay.Remove(name);
        }

        MarkChanged();
    }

    public void MarkDirtyBelow()
    {
        for (var directory = this; directory is { IsDirtyBelow: false }; directory = directory.Parent)
        {
            directory.IsDirtyBelow = true;
        }
    }

    private void MarkChanged()
    {
        ChangedAt = Owner.Services.Time.GetUtcNow();
        MarkDirtyBelow();
    }

    internal static void SetRemoved(CollectionNode node)
    {
        node.IsRemoved = true;
        if (node is CollectionFile file)
        {
            file.ForgetIfUnreachable();
        }
        else if (node is CollectionDirectory directory)
        {
            foreach (var child in directory.Overlay.Values.OfType<CollectionNode>())
            {
                SetRemoved(child);
            }
        }
    }

    private void CheckExists()
    {
        if (IsRemoved)
        {
            throw new FsException(FsError.NotFound, $"The directory \"{Name}\" was removed.");
        }
    }

    private void CheckMayAdd(string name)
    {
        Owner.CheckWritable(Path);
        NodeName.Check(name);
        CheckExists();
        if (Find(name) is not null)
        {
            throw new FsException(FsError.AlreadyExists, $"\"{name}\" exists already.");
        }
    }

    private static void CheckMayReplace(CollectionNode node, CollectionNode replaced, string targetName, bool mayReplace)
    {
        if (!mayReplace)
        {
            throw new FsException(FsError.AlreadyExists, $"\"{targetName}\" exists already.");
        }

        switch (node, replaced)
        {
            case (CollectionDirectory, CollectionFile):
                throw new FsException(FsError.NotADirectory, $"\"{targetName}\" is a file.");
            case (CollectionFile, CollectionDirectory):
                throw new FsException(FsError.IsADirectory, $"\"{targetName}\" is a directory.");
            case (_, CollectionDirectory { IsEmpty: false }):
                throw new FsException(FsError.NotEmpty, $"The directory \"{targetName}\" is not empty.");
        }
    }

    private static FsException NotFound(string name) => new(FsError.NotFound, $"There is no \"{name}\".");
}
