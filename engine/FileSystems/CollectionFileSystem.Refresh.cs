using System.Collections.Concurrent;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>Refresh: changes that others saved come into the live tree, under what is not saved here (mount.md sections 6 and 7).</summary>
public sealed partial class CollectionFileSystem
{
    private readonly ConcurrentDictionary<BlockHash, Locator> _renewed = new();
    private readonly SemaphoreSlim _renewing = new(1, 1);
    private long _signedAt;

    /// <summary>Asks the catalogue whether the content changed and, if so, brings the changes in.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!IsByHash)
            {
                var current = await Services.Catalog.FindCollectionAsync(Uuid, SavedFields, cancellationToken);
                if (current is not null && !HasContent(current.PortableDataHash))
                {
                    await _saving.WaitAsync(cancellationToken);
                    try
                    {
                        await ReloadAsync(cancellationToken);
                    }
                    finally
                    {
                        _saving.Release();
                    }
                }
            }
        }
        catch (CatalogException e)
        {
            throw Translate(e);
        }
    }

    /// <summary>Fetches the record again only for its fresh signatures.</summary>
    public async Task RenewSignaturesAsync(CancellationToken cancellationToken)
    {
        var asked = Volatile.Read(ref _signedAt);
        await _renewing.WaitAsync(cancellationToken);
        try
        {
            if (asked != Volatile.Read(ref _signedAt))
            {
                // Somebody else did it while we waited.
                return;
            }

            var record = await Services.Catalog.FindCollectionAsync(Uuid, null, cancellationToken)
                ?? throw new FsException(FsError.Stale, $"Collection {Uuid} does not exist any more.");
            TakeSignatures(ManifestIndex.Parse(record.ManifestText ?? default));
        }
        catch (CatalogException e)
        {
            throw Translate(e);
        }
        finally
        {
            _renewing.Release();
        }
    }

    /// <summary>Time since the block signatures were fetched.</summary>
    public TimeSpan SignatureAge => Services.Time.GetElapsedTime(Volatile.Read(ref _signedAt));

    private bool IsByHash => Manifests.PortableDataHash.IsPortableDataHash(Uuid);

    private bool HasContent(string portableDataHash) => Manifests.PortableDataHash.Matches(portableDataHash, PortableDataHash);

    private Locator CurrentLocator(Locator locator) => _renewed.TryGetValue(locator.Hash, out var renewed) ? renewed : locator;

    private void TakeSignatures(ManifestIndex index)
    {
        foreach (var block in index.Blocks)
        {
            _renewed[block.Hash] = block;
        }

        Volatile.Write(ref _signedAt, Services.Time.GetTimestamp());
    }

    /// <summary>Fetches the record and merges it; the caller holds the save lock.</summary>
    private async Task ReloadAsync(CancellationToken cancellationToken)
    {
        var record = await Services.Catalog.FindCollectionAsync(Uuid, null, cancellationToken)
            ?? throw new FsException(FsError.Stale, $"Collection {Uuid} does not exist any more; its unsaved changes are kept until it is restored.");
        var tree = Parse(record);
        List<NodeChange> changes = [];
        lock (Lock)
        {
            TakeUnanswered(tree);
            Rebase(RootNode, _base.Root, tree.Root, changes);
            _base = tree;
            _basePortableDataHash = record.PortableDataHash;
            ModifiedAt = record.ModifiedAt ?? ModifiedAt;
            _renewed.Clear();
            Volatile.Write(ref _signedAt, Services.Time.GetTimestamp());
        }

        changes.ForEach(_changed);
    }

    /// <summary>
    /// Under the lock: where the server has what we were about to save when its answer did not arrive, nobody else changed anything: that is our base now.
    /// </summary>
    private void TakeUnanswered(ManifestTree tree)
    {
        foreach (var (path, node) in _unanswered)
        {
            var now = tree.Find(path);
            if (node is null && now is null)
            {
                _base.Remove(path);
            }
            else if (node is not null && node.IsSameAs(now))
            {
                _base.Put(path, node);
            }
        }

        _unanswered = [];
    }

    /// <summary>
    /// Under the lock: makes the live directory stand on the server's new content. What is not saved here stays; where the server changed the same
    /// path, its content keeps the name and ours moves to a conflict name; a removal here yields to a change there.
    /// </summary>
    private void Rebase(CollectionDirectory directory, ManifestDirectory? before, ManifestDirectory? after, List<NodeChange> changes)
    {
        directory.Stored = after;
        foreach (var (name, node) in directory.Overlay.ToArray())
        {
            var (was, now) = (before?.Find(name), after?.Find(name));
            switch (node)
            {
                case null:
                    RebaseRemoval(directory, name, was, now, changes);
                    break;
                case CollectionFile file:
                    RebaseFile(directory, file, was, now, changes);
                    break;
                case CollectionDirectory child:
                    RebaseDirectory(directory, child, was, now, changes);
                    break;
            }
        }

        if (!NamesOf(before).SequenceEqual(NamesOf(after)))
        {
            changes.Add(new NodeChange(directory, null));
            foreach (var added in NamesOf(after).Except(NamesOf(before)))
            {
                changes.Add(new NodeChange(directory, added));
            }
        }

        static IEnumerable<string> NamesOf(ManifestDirectory? stored) => stored?.Names().Select(entry => entry.Name) ?? [];
    }

    private void RebaseRemoval(CollectionDirectory directory, string name, ManifestNode? was, ManifestNode? now, List<NodeChange> changes)
    {
        if (now is null)
        {
            directory.Overlay.Remove(name);
        }
        else if (now is ManifestDirectory folder)
        {
            if (was is ManifestDirectory old && old.HasSameContentAs(folder))
            {
                return;
            }

            // Others changed something below a directory that was removed or moved here: only their changes come back.
            var kept = new CollectionDirectory(this, directory, name, folder) { IsSavedHere = true, IsDirtyBelow = true };
            foreach (var (child, _) in folder.Names())
            {
                kept.Overlay[child] = null;
                RebaseRemoval(kept, child, (was as ManifestDirectory)?.Find(child), folder.Find(child), changes);
            }

            directory.Overlay[name] = kept;
            Report(directory, name, "was removed here and changed by somebody else; what they changed stays", changes);
        }
        else if (!now.IsSameAs(was))
        {
            directory.Overlay.Remove(name);
            Report(directory, name, "was removed here and changed by somebody else; their version stays", changes);
        }
    }

    private void RebaseFile(CollectionDirectory directory, CollectionFile file, ManifestNode? was, ManifestNode? now, List<NodeChange> changes)
    {
        var isOurs = file.IsDirty || !file.IsSavedHere;
        if (!isOurs)
        {
            if (now is ManifestFile stored)
            {
                var same = stored.HasSameContentAs(file.Stored);
                file.SetStored(stored);
                if (!same)
                {
                    file.ChangedAt = null;
                    changes.Add(new NodeChange(file, null));
                }
            }
            else
            {
                Remove(directory, file, changes);
            }
        }
        else if (now is null || now.IsSameAs(was) || (!file.IsDirty && file.Stored.IsSameAs(now)))
        {
            // Nobody else touched the path (or took it away): ours is still to be saved there.
            file.IsSavedHere = now is ManifestFile && (file.IsSavedHere || now.IsSameAs(file.Stored));
            directory.MarkDirtyBelow();
        }
        else if (now is ManifestFile theirs && file.StoredContent() is { } ours && ours.HasSameContentAs(theirs))
        {
            // Our own save got through, only its answer did not.
            file.MarkTaken();
            file.SetStored(theirs);
            file.IsSavedHere = true;
        }
        else
        {
            MoveToConflictName(directory, file, changes);
        }
    }

    private void RebaseDirectory(CollectionDirectory directory, CollectionDirectory child, ManifestNode? was, ManifestNode? now, List<NodeChange> changes)
    {
        if (!child.IsSavedHere && now is not null && now.IsSameAs(was))
        {
            // What had this name before ours was moved or made here, and nobody else touched it: ours replaces it with the next save.
            directory.MarkDirtyBelow();
            return;
        }

        if (!child.IsSavedHere)
        {
            Materialise(child);
        }

        if (now is ManifestFile)
        {
            if (!child.IsSavedHere || child.IsDirtyBelow)
            {
                Materialise(child);
                MoveToConflictName(directory, child, changes);
            }
            else
            {
                Remove(directory, child, changes);
            }

            return;
        }

        var wasOurs = !child.IsSavedHere;
        Rebase(child, wasOurs ? null : was as ManifestDirectory, now as ManifestDirectory, changes);
        if (now is null && !wasOurs && !child.IsDirtyBelow)
        {
            Remove(directory, child, changes);
            return;
        }

        child.IsSavedHere = now is not null;
        if (!child.IsSavedHere || child.IsDirtyBelow)
        {
            directory.MarkDirtyBelow();
        }
    }

    /// <summary>Gives every entry of a directory that was moved here a node of its own: none of them is saved at this place.</summary>
    private static void Materialise(CollectionDirectory directory)
    {
        foreach (var (name, _) in directory.Stored?.Names().ToArray() ?? [])
        {
            directory.Find(name);
        }

        foreach (var node in directory.Overlay.Values.OfType<CollectionNode>())
        {
            node.IsSavedHere = false;
            if (node is CollectionDirectory child)
            {
                Materialise(child);
            }
        }

        foreach (var removed in directory.Overlay.Where(entry => entry.Value is null).Select(entry => entry.Key).ToArray())
        {
            directory.Overlay.Remove(removed);
        }

        directory.Stored = null;
        directory.IsDirtyBelow = true;
    }

    private void MoveToConflictName(CollectionDirectory directory, CollectionNode node, List<NodeChange> changes)
    {
        var name = node.Name;
        var conflict = NodeName.ForConflict(name, Services.Time.GetUtcNow());
        while (directory.Find(conflict) is not null)
        {
            conflict = NodeName.ForConflict(conflict, Services.Time.GetUtcNow());
        }

        directory.Overlay.Remove(name);
        node.IsSavedHere = false;
        directory.Place(conflict, node);
        changes.Add(new NodeChange(directory, conflict));
        Report(directory, name, $"was changed here and by somebody else; the change made here is kept as \"{conflict}\"", changes);
    }

    private static void Remove(CollectionDirectory directory, CollectionNode node, List<NodeChange> changes)
    {
        var name = node.Name;
        directory.Overlay.Remove(name);
        node.Parent = null;
        CollectionDirectory.SetRemoved(node);
        changes.Add(new NodeChange(directory, name));
    }

    private void Report(CollectionDirectory directory, string name, string what, List<NodeChange> changes)
    {
        var path = directory.Parent is null ? name : $"{directory.Path}/{name}";
        Services.Log($"collection {Uuid}: \"{path}\" {what}.");
        changes.Add(new NodeChange(directory, name));
    }
}
