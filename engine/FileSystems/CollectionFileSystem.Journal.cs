using KeepFs.Engine.FileSystems.Journal;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>Journal: what is recorded before it is answered, and what a save supersedes (decision 0018).</summary>
public sealed partial class CollectionFileSystem
{
    private CollectionJournal? _journal;
    private bool _isReplaying;

    /// <summary>Under the lock: where changes are recorded; null when nothing is, as during a replay of what is recorded already.</summary>
    internal CollectionJournal? Journal => _isReplaying || !IsWritable ? null : _journal ??= Services.Journal?.Start(Uuid, () => _basePortableDataHash);

    /// <summary>Waits while the journal is over its limit; saving is what makes room.</summary>
    /// <exception cref="FsException"><see cref="FsError.NoSpace"/>: nothing could be saved for too long.</exception>
    internal ValueTask MakeRoomAsync(CancellationToken cancellationToken) =>
        Services.Journal is { IsFull: true } journal && !_isReplaying && IsWritable ? new(WaitForRoomAsync(journal, cancellationToken)) : default;

    /// <summary>Called after each change, outside the lock: if the journal could not take it, it is saved before it is answered.</summary>
    /// <exception cref="FsException"><see cref="FsError.NoSpace"/>: neither worked.</exception>
    internal ValueTask EnsureJournaledAsync(CancellationToken cancellationToken) =>
        _journal is { HasFailed: true } journal && !_isReplaying ? new(SaveInsteadAsync(journal, cancellationToken)) : default;

    /// <summary>Under the lock: goes on with a chain that was replayed.</summary>
    private void AttachJournal(CollectionJournal journal) => (_journal, _isReplaying) = (journal, false);

    /// <summary>Under the lock: the journal if the file's changes belong into it; what nobody can reach by name is not worth saving.</summary>
    private CollectionJournal? JournalFor(CollectionFile file) => file.IsRemoved ? null : Journal;

    /// <summary>Large data goes to the journal's disk before the lock is taken; null: it goes with its record.</summary>
    private ValueTask<BulkData?> JournalLargeAsync(CollectionFile file, ReadOnlyMemory<byte> data)
    {
        CollectionJournal? journal;
        lock (Lock)
        {
            journal = JournalFor(file);
        }

        return new(journal is not null && data.Length > Services.Journal!.Options.MaxInlineBytes ? journal.WriteBulk(data.Span) : null);
    }

    private async Task WaitForRoomAsync(StagingJournal journal, CancellationToken cancellationToken)
    {
        var started = Services.Time.GetTimestamp();
        while (journal.IsFull)
        {
            string reason;
            try
            {
                await Services.Open.SaveAllAsync(this, cancellationToken);
                journal.SyncNow();
                reason = "others wrote more meanwhile";
            }
            catch (FsException e)
            {
                reason = e.Message;
            }

            if (!journal.IsFull)
            {
                return;
            }

            if (Services.Time.GetElapsedTime(started) >= journal.Options.MaxWait)
            {
                throw new FsException(FsError.NoSpace, $"The journal in {journal.Folder} holds {journal.Bytes} bytes, its limit, and what it holds could not be saved: {reason}");
            }

            await Task.Delay(Services.Options.RetryDelay, Services.Time, cancellationToken);
        }
    }

    private async Task SaveInsteadAsync(CollectionJournal journal, CancellationToken cancellationToken)
    {
        var why = journal.Failure;
        try
        {
            await SaveAsync(cancellationToken);
        }
        catch (FsException e)
        {
            throw new FsException(FsError.NoSpace, $"A change to collection {Uuid} could neither be recorded on the local disk ({why}) nor be saved ({e.Message}); it is only in memory.", e);
        }
    }

    /// <summary>Under the lock: the bytes of a segment are on keepstores.</summary>
    private void SetStored(MemorySegment segment, ManifestSegment place)
    {
        segment.SetStored(place);
        if (!segment.IsJournaled)
        {
            return;
        }

        if (segment.File is { IsRemoved: false, ContentInMemory: { } content } file && Journal is { } journal)
        {
            var places = content.PlacesOf(segment);
            if (places.Count > 0 && !journal.Stored(file, places))
            {
                return;
            }
        }

        segment.ReleaseJournal();
    }

    /// <summary>Under the lock, right after the changes were taken.</summary>
    private JournaledSave JournalTaken(PendingSave pending)
    {
        if (pending.Changes.Count == 0 || Journal is not { } journal)
        {
            return default;
        }

        var number = journal.Taken([.. Unsaved().Select(file => (file, _base.Find(file.Path) is ManifestFile saved ? ContentFingerprint.Of(saved) : default))]);
        return new JournaledSave(journal, number, journal.CurrentLog);
    }

    /// <summary>The blocks are stored, the catalogue is about to be asked.</summary>
    private void JournalSaving(JournaledSave save, PendingSave pending)
    {
        if (save.Journal is null)
        {
            return;
        }

        var entries = new List<SavedPath>(pending.Changes.Count);
        foreach (var (path, node) in pending.Changes)
        {
            Describe(path, node);
        }

        lock (Lock)
        {
            save.Journal.Saving(save.Number, entries);
        }

        void Describe(string path, PendingNode? node)
        {
            foreach (var (name, child) in node?.Children ?? [])
            {
                Describe($"{path}/{name}", child);
            }

            entries.Add(node is null ? new SavedPath(0, path, SavedKind.Nothing, [])
                : node.Ready is ManifestFile file ? new SavedPath(node.File?.JournalId ?? 0, path, SavedKind.File, file.Segments)
                : new SavedPath(0, path, SavedKind.Directory, []));
        }
    }

    /// <summary>Under the lock, right after the commit.</summary>
    private void JournalCommitted(JournaledSave save, PendingSave pending)
    {
        foreach (var file in pending.Files)
        {
            file.File!.JournalSince = file.File.JournalSinceTaken;
        }

        if (save.Journal is not null)
        {
            var needed = Unsaved().Where(file => file.JournalSince > 0).Select(file => file.JournalSince).Append(save.Log).Min();
            save.Journal.Committed(save.Number, _basePortableDataHash, needed);
        }

        ClearJournalIfSaved();
    }

    private void ClearJournalIfSaved()
    {
        if (!RootNode.IsDirtyBelow && !Unsaved().Any())
        {
            _journal?.TryClear();
        }
    }

    private IEnumerable<CollectionFile> Unsaved() => WithMemory.Where(file => file is { IsDirty: true, IsRemoved: false });

    /// <summary>A save that is also in the journal.</summary>
    private readonly record struct JournaledSave(CollectionJournal? Journal, ulong Number, int Log);
}
