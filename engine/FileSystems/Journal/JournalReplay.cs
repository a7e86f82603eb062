using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>
/// Carries out the records of a chain on the collection as it is now. Whoever changed it meanwhile keeps their changes: a record that finds at its path neither
/// what the dead process saw there nor what it was saving leaves it alone, and our content goes to a conflict name.
/// </summary>
internal sealed partial class JournalReplay(CollectionFileSystem collection, ChainScan scan, BlockAdoption blocks)
{
    private readonly Dictionary<string, HashSet<ContentFingerprint>> _ours = [];
    private readonly Dictionary<string, CollectionNode> _displaced = new(StringComparer.Ordinal);
    private readonly HashSet<CollectionFile> _known = [];
    private readonly Dictionary<CollectionFile, List<(long Start, long End)>> _missing = [];

    /// <summary>The catalogue has exactly what the dead process knew last: whatever is there is what the records are about.</summary>
    private bool _isUnchanged;

    /// <summary>By id in the journal.</summary>
    public Dictionary<ulong, CollectionFile> Files { get; } = [];

    /// <summary>What of the chain could not be used; its files are kept aside then.</summary>
    public string? Damage { get; private set; } = scan.Damage;

    /// <summary>Replays one chain and saves. When it returns, the chain is gone.</summary>
    /// <exception cref="FsException">It could not be saved; the chain is as it was.</exception>
    /// <exception cref="CatalogException">The catalogue cannot be asked.</exception>
    public static async Task RunAsync(StagingJournal journal, CollectionServices services, PendingChain pending, CancellationToken cancellationToken)
    {
        var scan = ChainScan.Read(pending.Folder);
        if (scan.Damage is null && (scan.Uuid.Length == 0 || !scan.HasChanges))
        {
            Directory.Move(pending.Folder, journal.NewDiscardFolder(pending.Folder, isKept: false));
            return;
        }

        if (scan.Damage is { } damage)
        {
            services.Log($"journal of collection {pending.Uuid}: {damage}; what came before is replayed");
            SetUnreadAside(pending.Folder, scan);
            if (scan.Uuid.Length == 0)
            {
                Directory.Move(pending.Folder, journal.NewDiscardFolder(pending.Folder, isKept: true));
                return;
            }
        }

        var record = await services.Catalog.FindCollectionAsync(scan.Uuid, null, cancellationToken)
            ?? throw new FsException(FsError.NotFound, $"collection {scan.Uuid} does not exist any more, or may not be read; restore it from the trash, and its unsaved changes will be saved");
        var collection = CollectionFileSystem.Open(services, record, isWritable: true, static _ => { });
        try
        {
            var blocks = new BlockAdoption(services, journal.TokensOf(pending), ManifestIndex.Parse(record.ManifestText ?? default));
            await collection.ReplayAsync(journal, scan, blocks, cancellationToken);
            await collection.SaveAsync(cancellationToken);
            services.Log($"collection {scan.Uuid}: changes that an earlier mount had not saved are saved now"
                + (blocks.Count > 0 ? $"; {blocks.Count} blocks that were stored under an earlier token were stored again" : ""));
        }
        finally
        {
            await collection.DisposeAsync();
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var (taken, entries) in scan.Unanswered)
        {
            if (entries.All(IsThere))
            {
                // The catalogue had it, only its answer did not arrive.
                scan.TakeAsCommitted(taken);
                break;
            }
        }

        _isUnchanged = scan.CommittedHash.Length > 0 && PortableDataHash.Matches(collection.PortableDataHash, scan.CommittedHash);
        foreach (var entry in scan.Saved)
        {
            if (entry.Kind == SavedKind.File)
            {
                if (!_ours.TryGetValue(entry.Path, out var known))
                {
                    _ours.Add(entry.Path, known = []);
                }

                known.Add(ContentFingerprint.Of(entry.Segments));
            }
        }

        try
        {
            await RunAsync(scan.Start, cancellationToken);
        }
        catch (InvalidDataException e)
        {
            Damage ??= e.Message;
            collection.Services.Log($"journal of collection {scan.Uuid}: {e.Message}; what came before is replayed");
        }

        foreach (var (file, ranges) in _missing.Where(entry => entry.Value.Count > 0))
        {
            Damage ??= "data files are missing";
            Report(file.Path, $"lost {ranges.Sum(range => range.End - range.Start)} bytes that were only in a data file of the journal, which is gone; they are zeros now");
        }
    }

    private async Task RunAsync(ulong start, CancellationToken cancellationToken)
    {
        var kept = scan.Kept.ToDictionary(file => file.Id);
        foreach (var record in new ChainReader(scan.Folder).Read())
        {
            if (record.Sequence >= scan.NextSequence)
            {
                return;
            }

            if (record.Sequence >= start)
            {
                await RunAsync(record, null, cancellationToken);
            }
            else if (record.Type is JournalRecordType.Create or JournalRecordType.Bind or JournalRecordType.Write or JournalRecordType.WriteBulk
                or JournalRecordType.SetSize or JournalRecordType.Stored)
            {
                // Before the save only what it left over counts.
                var id = new RecordReader(record.Payload.Span).Number();
                if (kept.TryGetValue(id, out var file) && record.File >= file.Since)
                {
                    await RunAsync(record, file, cancellationToken);
                }
            }
        }
    }

    private async ValueTask RunAsync(JournalRecord record, KeptFile? kept, CancellationToken cancellationToken)
    {
        switch (record.Type)
        {
            case JournalRecordType.Write or JournalRecordType.WriteBulk:
                await WriteAsync(record, cancellationToken);
                break;
            case JournalRecordType.SetSize:
                await SetSizeAsync(record, cancellationToken);
                break;
            case JournalRecordType.Rename:
                await RenameAsync(record, cancellationToken);
                break;
            default:
                await AdoptAsync(record, cancellationToken);
                lock (collection.Lock)
                {
                    Run(record, kept);
                }

                break;
        }
    }

    /// <summary>The blocks that the record names, so that what refers to them can be saved.</summary>
    private async ValueTask AdoptAsync(JournalRecord record, CancellationToken cancellationToken)
    {
        if (!blocks.IsIdle && record.Type is JournalRecordType.Bind or JournalRecordType.Stored)
        {
            foreach (var locator in Named(record))
            {
                await blocks.AdoptAsync(locator, cancellationToken);
            }
        }

        List<Blocks.Locator> Named(JournalRecord record)
        {
            var fields = new RecordReader(record.Payload.Span);
            var id = fields.Number();
            if (record.Type == JournalRecordType.Stored)
            {
                var named = new List<Blocks.Locator>();
                for (var count = fields.Small(); count > 0; count--)
                {
                    _ = fields.Size();
                    if (Blocks.Locator.TryParse(fields.Text(), out var locator))
                    {
                        named.Add(locator);
                    }

                    _ = fields.Small() + fields.Small();
                }

                return named;
            }

            _ = fields.Text();
            var isStored = fields.Small() == 1;
            return [.. (isStored ? fields.Segments() : scan.AsTaken(id) ?? []).Select(segment => segment.Locator)];
        }
    }

    /// <summary>Under the lock.</summary>
    private void Run(in JournalRecord record, KeptFile? kept)
    {
        var fields = new RecordReader(record.Payload.Span);
        switch (record.Type)
        {
            case JournalRecordType.Create:
                var id = fields.Number();
                Place(id, kept?.Path ?? fields.Text(), [], isNew: true, kept?.Saved ?? default);
                break;
            case JournalRecordType.Bind:
                id = fields.Number();
                var (path, isStored) = (fields.Text(), fields.Small() == 1);
                var segments = fields.Segments();
                Place(id, kept?.Path ?? path, isStored ? segments : scan.AsTaken(id), isNew: false, kept?.Saved ?? default);
                break;
            case JournalRecordType.MakeDirectory:
                DirectoryAt(ManifestTree.Components(fields.Text()));
                break;
            case JournalRecordType.Remove:
                Remove(fields.Text(), fields.Fingerprint());
                break;
            case JournalRecordType.Stored when Files.TryGetValue(fields.Number(), out var file) && !file.IsRemoved:
                for (var count = fields.Small(); count > 0; count--)
                {
                    SetStored(file, fields.Size(), fields.Text(), (int)fields.Small(), (int)fields.Small());
                }

                break;
        }
    }

    private void SetStored(CollectionFile file, long start, string locator, int offset, int length)
    {
        if (!Blocks.Locator.TryParse(locator, out var block) || length <= 0 || offset < 0)
        {
            throw new InvalidDataException("A stored range in the journal cannot be read.");
        }

        if (start > file.SizeBytes)
        {
            file.Content.SetSize(start);
        }

        file.Content.SetStored(start, [new ManifestSegment(blocks.Adopted(block), offset, length)]);
        file.MarkDirty();
        Found(file, start, length);
    }

    private async ValueTask WriteAsync(JournalRecord record, CancellationToken cancellationToken)
    {
        var fields = new RecordReader(record.Payload.Span);
        var (id, offset) = (fields.Number(), fields.Size());
        if (!Files.TryGetValue(id, out var file) || file.IsRemoved)
        {
            return;
        }

        if (record.Data is { } data)
        {
            Found(file, offset, data.Length);
            await collection.ReplayWriteAsync(file, offset, data, cancellationToken);
            return;
        }

        // Later records say where the bytes are, or that they were overwritten; that is checked in the end.
        var length = (int)fields.Small();
        lock (collection.Lock)
        {
            if (offset > file.SizeBytes)
            {
                file.Content.SetSize(offset);
            }

            file.Content.SetHole(offset, length);
            file.MarkDirty();
        }

        Found(file, offset, length);
        if (!_missing.TryGetValue(file, out var ranges))
        {
            _missing.Add(file, ranges = []);
        }

        ranges.Add((offset, offset + length));
    }

    private async ValueTask SetSizeAsync(JournalRecord record, CancellationToken cancellationToken)
    {
        var fields = new RecordReader(record.Payload.Span);
        var (id, size) = (fields.Number(), fields.Size());
        if (Files.TryGetValue(id, out var file) && !file.IsRemoved)
        {
            Found(file, size, long.MaxValue - size);
            await collection.SetSizeAsync(file, size, cancellationToken);
        }
    }

    /// <summary>A range is known again.</summary>
    private void Found(CollectionFile file, long start, long length)
    {
        if (_missing.TryGetValue(file, out var ranges))
        {
            var end = start + length;
            List<(long Start, long End)> left = [];
            foreach (var range in ranges)
            {
                left.Add((range.Start, Math.Min(range.End, start)));
                left.Add((Math.Max(range.Start, end), range.End));
            }

            left.RemoveAll(range => range.Start >= range.End);
            _missing[file] = left;
        }
    }

    private CollectionNode? Find(string path)
    {
        CollectionNode? node = collection.RootNode;
        foreach (var name in ManifestTree.Components(path))
        {
            node = (node as CollectionDirectory)?.Find(name);
        }

        return node;
    }

    /// <summary>Under the lock: the directory, made if need be; beside a file of that name, under a conflict name.</summary>
    private CollectionDirectory DirectoryAt(ReadOnlySpan<string> names)
    {
        var directory = collection.RootNode;
        foreach (var name in names)
        {
            var found = directory.Find(name);
            if (found is CollectionDirectory next)
            {
                directory = next;
                continue;
            }

            var free = found is null ? name : FreeName(directory, name);
            next = new CollectionDirectory(collection, directory, free, null);
            directory.Place(free, next);
            directory = next;
        }

        return directory;
    }

    private string FreeName(CollectionDirectory directory, string name)
    {
        do
        {
            name = NodeName.ForConflict(name, collection.Services.Time.GetUtcNow());
        }
        while (directory.Find(name) is not null);
        return name;
    }

    private void Report(string path, string what) => collection.Services.Log($"collection {scan.Uuid}: \"{path}\" {what}.");

    /// <summary>Logs that cannot be used stay under another name, so that what is recorded from now on follows what was read.</summary>
    private static void SetUnreadAside(string folder, ChainScan scan)
    {
        foreach (var number in ChainFiles.Numbers(folder, ".log").Where(number => number > scan.LastReadLog))
        {
            File.Move(ChainFiles.Log(folder, number), ChainFiles.Log(folder, number) + ".unread", overwrite: true);
        }
    }
}
