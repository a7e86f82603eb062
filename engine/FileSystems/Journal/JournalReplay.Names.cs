using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>Records about names: what is found there now, whether it is ours, and what is done then.</summary>
internal sealed partial class JournalReplay
{
    /// <summary>Under the lock: finds or makes the file that an id stands for, with the content that it had before the following records.</summary>
    private void Place(ulong id, string path, ManifestSegment[]? before, bool isNew, ContentFingerprint replaced)
    {
        if (Files.ContainsKey(id))
        {
            return;
        }

        var names = ManifestTree.Components(path);
        var directory = names.Length == 0 ? throw new InvalidDataException("A file in the journal has no name.") : DirectoryAt(names.AsSpan(..^1));
        var there = directory.Find(names[^1]);
        var file = there as CollectionFile;
        var known = file?.StoredContent() is { } stored ? ContentFingerprint.Of(stored) : default;
        var isAsBefore = file is not null && !isNew && (before is null || known == ContentFingerprint.Of(before));
        if (file is null || !(_isUnchanged || isAsBefore || _known.Contains(file) || IsOurs(path, known) || (known.IsKnown && known == replaced) || scan.WasSaving(id, known)))
        {
            var name = there is null ? names[^1] : FreeName(directory, names[^1]);
            file = new CollectionFile(collection, directory, name, new ManifestFile([]));
            directory.Place(name, file);
            file.MarkDirty();
            isAsBefore = before is null or [];
            if (there is not null)
            {
                _displaced[path] = file;
                Report(path, $"was changed here before the crash and by somebody else; the change made here is kept as \"{name}\"");
            }
        }

        if (!isAsBefore)
        {
            file.ReplaceContent(blocks.Adopted(before ?? []));
        }

        Files[id] = file;
        _known.Add(file);
    }

    /// <summary>Under the lock.</summary>
    private void Remove(string path, ContentFingerprint saved)
    {
        if (!_displaced.Remove(path, out var node) && (node = Find(path)) is null)
        {
            return;
        }

        if (node is CollectionFile file ? IsSame(path, file, saved) : node is CollectionDirectory { IsEmpty: true })
        {
            node.Parent?.Detach(node.Name);
        }
        else
        {
            Report(path, "was removed here before the crash and changed by somebody else; their version stays");
        }
    }

    private async ValueTask RenameAsync(JournalRecord record, CancellationToken cancellationToken)
    {
        var (path, targetPath, moved, replaced) = Fields(record);
        CollectionNode node;
        CollectionDirectory into;
        string name;
        lock (collection.Lock)
        {
            var names = ManifestTree.Components(targetPath);
            if ((_displaced.GetValueOrDefault(path) ?? Find(path)) is not { Parent: not null } found || names.Length == 0)
            {
                // Moved already: the save got through.
                return;
            }

            if (found is CollectionFile file && !_displaced.ContainsKey(path) && !_known.Contains(file) && !_isUnchanged && !(moved.IsKnown ? IsThis(file, moved) : IsOurs(path, FingerprintOf(file))))
            {
                if (!IsOurs(path, FingerprintOf(file)))
                {
                    Report(path, $"was moved to \"{targetPath}\" here before the crash and changed by somebody else; it stays");
                }

                return;
            }

            _displaced.Remove(path);
            (node, into, name) = (found, DirectoryAt(names.AsSpan(..^1)), names[^1]);
            var there = into.Find(name);
            var mayReplace = there switch
            {
                null => true,
                CollectionFile target => IsSame(targetPath, target, replaced),
                CollectionDirectory target => node is CollectionDirectory && target.IsEmpty,
                _ => false,
            };
            if (!mayReplace && node is CollectionDirectory && there is CollectionDirectory)
            {
                Report(path, $"was moved to \"{targetPath}\" here before the crash, which is not empty now; it stays");
                return;
            }

            if (!mayReplace)
            {
                name = FreeName(into, name);
                _displaced[targetPath] = node;
                Report(targetPath, $"was changed here before the crash and by somebody else; the change made here is kept as \"{name}\"");
            }
        }

        try
        {
            await node.Parent!.RenameAsync(node.Name, into, name, mayReplace: true, cancellationToken);
        }
        catch (FsException e)
        {
            Report(path, $"was moved to \"{targetPath}\" here before the crash; it stays: {e.Message}");
        }

        static (string, string, ContentFingerprint, ContentFingerprint) Fields(JournalRecord record)
        {
            var fields = new RecordReader(record.Payload.Span);
            return (fields.Text(), fields.Text(), fields.Fingerprint(), fields.Fingerprint());
        }
    }

    private static bool IsThis(CollectionFile file, ContentFingerprint saved) => saved.IsKnown && FingerprintOf(file) == saved;

    private static ContentFingerprint FingerprintOf(CollectionFile file) => file.StoredContent() is { } stored ? ContentFingerprint.Of(stored) : default;

    /// <summary>The file is the one that the dead process saw there, made, or was saving there.</summary>
    private bool IsSame(string path, CollectionFile file, ContentFingerprint saved) =>
        _isUnchanged || _known.Contains(file) || IsThis(file, saved) || IsOurs(path, FingerprintOf(file));

    private bool IsOurs(string path, ContentFingerprint content) => content.IsKnown && _ours.TryGetValue(path, out var known) && known.Contains(content);

    private bool IsThere(SavedPath entry) => entry.Kind switch
    {
        SavedKind.File => Find(entry.Path) is CollectionFile file && FingerprintOf(file) == ContentFingerprint.Of(entry.Segments),
        SavedKind.Directory => Find(entry.Path) is CollectionDirectory,
        _ => Find(entry.Path) is null,
    };
}
