using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>What a save takes, and what becomes of it when the catalogue has answered or not.</summary>
public sealed partial class CollectionFileSystem
{
    /// <summary>Under the lock: takes what is not saved, and marks it as if it were.</summary>
    private PendingSave TakeChanges(bool includeOpenFiles)
    {
        var pending = new PendingSave();
        Walk(RootNode, "");
        return pending;

        void Walk(CollectionDirectory directory, string path)
        {
            if (!directory.IsDirtyBelow)
            {
                return;
            }

            Visit(directory, path);
            foreach (var (name, node) in directory.Overlay)
            {
                var here = path.Length == 0 ? name : $"{path}/{name}";
                switch (node)
                {
                    case null:
                        if (directory.Stored?.Find(name) is not null)
                        {
                            pending.Changes.Add((here, null));
                        }

                        break;
                    case CollectionFile file when (file.IsDirty || !file.IsSavedHere) && MayTake(file):
                        pending.Changes.Add((here, TakeFile(file)));
                        break;
                    case CollectionFile { IsSavedHere: false } when directory.Stored?.Find(name) is ManifestDirectory:
                        // The file waits for a later save; the directory that had its name has moved away or is gone.
                        pending.Changes.Add((here, null));
                        break;
                    case CollectionDirectory { IsSavedHere: true } child:
                        Walk(child, here);
                        break;
                    case CollectionDirectory child:
                        pending.Changes.Add((here, TakeDirectory(child, here)));
                        break;
                }

                if (node is CollectionFile { IsDirty: true } or CollectionFile { IsSavedHere: false } or CollectionDirectory { IsDirtyBelow: true })
                {
                    // Left for a later save: the directory keeps its mark.
                    directory.IsDirtyBelow = true;
                }
            }
        }

        void Visit(CollectionDirectory directory, string path)
        {
            pending.Directories.Add((directory, path));
            directory.IsDirtyBelow = false;
        }

        bool MayTake(CollectionFile file) => includeOpenFiles || file.WriterCount == 0 || !file.IsDirty
            || Services.Time.GetElapsedTime(file.DirtySince) >= Services.Options.MaxDirtyAge;

        PendingNode TakeFile(CollectionFile file)
        {
            if (!file.IsSavedHere)
            {
                file.IsSavedHere = true;
                pending.Placed.Add(file);
            }

            if (!file.IsDirty)
            {
                return new PendingNode { Ready = file.Stored };
            }

            var node = new PendingNode { File = file, Extents = file.Content.Snapshot() };
            file.MarkTaken();
            pending.Files.Add(node);
            return node;
        }

        PendingNode TakeDirectory(CollectionDirectory directory, string path)
        {
            var children = new List<(string, PendingNode)>();
            foreach (var (name, _) in directory.Stored?.Names() ?? [])
            {
                if (!directory.Overlay.ContainsKey(name))
                {
                    children.Add((name, new PendingNode { Ready = directory.Stored!.Find(name) }));
                }
            }

            Visit(directory, path);
            directory.IsSavedHere = true;
            pending.Placed.Add(directory);
            foreach (var (name, node) in directory.Overlay)
            {
                if (node is CollectionFile file && MayTake(file))
                {
                    children.Add((name, TakeFile(file)));
                }
                else if (node is CollectionFile)
                {
                    node.IsSavedHere = false;
                    directory.IsDirtyBelow = true;
                }
                else if (node is CollectionDirectory child)
                {
                    children.Add((name, TakeDirectory(child, $"{path}/{name}")));
                    directory.IsDirtyBelow |= child.IsDirtyBelow;
                }
            }

            return new PendingNode { Children = children };
        }
    }

    /// <summary>Under the lock: the changes are in the catalogue.</summary>
    private void Commit(PendingSave pending, Collection record)
    {
        foreach (var (path, node) in pending.Changes)
        {
            if (node is null)
            {
                _base.Remove(path);
            }
            else
            {
                _base.Put(path, node.Build());
            }
        }

        foreach (var file in pending.Files)
        {
            file.File!.SetStored((ManifestFile)file.Ready!);
        }

        foreach (var (directory, path) in pending.Directories)
        {
            directory.Stored = _base.Find(path) as ManifestDirectory;
            foreach (var name in directory.Overlay.Where(entry => entry.Value is null && directory.Stored?.Find(entry.Key) is null).Select(entry => entry.Key).ToArray())
            {
                directory.Overlay.Remove(name);
            }
        }

        _basePortableDataHash = record.PortableDataHash;
        ModifiedAt = record.ModifiedAt ?? ModifiedAt;
    }

    /// <summary>Under the lock: the save failed; everything it took counts as unsaved again.</summary>
    private static void Restore(PendingSave pending)
    {
        pending.Files.ForEach(file => file.File!.MarkDirty());
        foreach (var node in pending.Placed)
        {
            node.IsSavedHere = false;
            node.Parent?.MarkDirtyBelow();
        }

        foreach (var (directory, _) in pending.Directories)
        {
            directory.MarkDirtyBelow();
        }
    }
}
