using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>
/// The journal of one open collection: a chain of log files, and data files for what is large. Every change is appended before it is answered;
/// what a save has put into the catalogue is deleted. Decision 0018 has the format and the reasons.
/// </summary>
/// <remarks>
/// Recording is called under the collection's lock, so the records stand in the order of the changes. A record that cannot be written is no exception:
/// from then on <see cref="HasFailed"/> is set, nothing is recorded, and the collection must be saved before anybody is answered.
/// </remarks>
internal sealed partial class CollectionJournal
{
    private const int FlushBytes = 1 << 20;
    private const int EntriesPerRecord = 256;

    private readonly StagingJournal _owner;
    private readonly string _uuid;
    private readonly Func<string> _baseHash;
    private readonly RecordWriter _writer = new();
    private string _folder;
    private JournalFile? _log;
    private int _lastLog;
    private ulong _sequence;
    private ulong _lastId;
    private ulong _lastTaken;

    public CollectionJournal(StagingJournal owner, string folder, string uuid, Func<string> baseHash) => (_owner, _folder, _uuid, _baseHash) = (owner, folder, uuid, baseHash);

    /// <summary>Goes on with a chain that was read to its end.</summary>
    public CollectionJournal(StagingJournal owner, string folder, ChainScan scan, Func<string> baseHash)
        : this(owner, folder, scan.Uuid, baseHash)
    {
        (_lastLog, _sequence, _lastId, _lastTaken) = (scan.LastLog, scan.NextSequence, scan.LastId, scan.LastTaken);
        _lastData = ChainFiles.Numbers(folder, ".data").LastOrDefault();
        Adopt(folder);
    }

    /// <summary>The journal's disk did not take a record.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Why; null while it works.</summary>
    public string? Failure { get; private set; }

    /// <summary>Changes with each save: files that are bound in another epoch must be bound again.</summary>
    public ulong Epoch { get; private set; } = 1;

    public int CurrentLog => _lastLog;

    public void Create(CollectionFile file)
    {
        file.JournalId = ++_lastId;
        if (TryStart(JournalRecordType.Create, out var record))
        {
            record.Number(file.JournalId).Text(file.Path);
            SetBound(file, Finish());
        }
    }

    public void MakeDirectory(string path)
    {
        if (TryStart(JournalRecordType.MakeDirectory, out var record))
        {
            record.Text(path);
            Finish();
        }
    }

    public void Remove(string path, ContentFingerprint saved)
    {
        if (TryStart(JournalRecordType.Remove, out var record))
        {
            saved.Write(record.Text(path));
            Finish();
        }
    }

    public void Rename(string path, string target, ContentFingerprint moved, ContentFingerprint replaced)
    {
        if (TryStart(JournalRecordType.Rename, out var record))
        {
            moved.Write(record.Text(path).Text(target));
            replaced.Write(record);
            Finish();
        }
    }

    /// <summary>To be called before the content of a file changes: says which file the next records mean, and what it holds.</summary>
    public void Bind(CollectionFile file)
    {
        if (file.JournalEpoch == Epoch || !TryStart(JournalRecordType.Bind, out var record))
        {
            return;
        }

        if (file.JournalId == 0)
        {
            file.JournalId = ++_lastId;
        }

        // Not all stored: a save is taking it to the catalogue, and says itself where the bytes are.
        var stored = file.StoredContent();
        record.Number(file.JournalId).Text(file.Path).Small(stored is null ? 0u : 1u).Segments(stored?.Segments);
        SetBound(file, Finish());
    }

    /// <summary>Bytes that are being written; <paramref name="place"/> when a data file has them, from <paramref name="skip"/> on.</summary>
    public void Write(CollectionFile file, long offset, ReadOnlySpan<byte> data, BulkData? place, int skip)
    {
        if (place is null)
        {
            if (TryStart(JournalRecordType.Write, out var record))
            {
                record.Number(file.JournalId).Number(offset).Raw(data);
                Finish();
            }
        }
        else if (TryStart(JournalRecordType.WriteBulk, out var record))
        {
            var checksum = skip == 0 ? place.Checksum : JournalChecksum.Compute(data);
            new BulkPlace(file.JournalId, offset, data.Length, place.File.Number, place.Position + skip, checksum).Write(record);
            Finish();
        }
    }

    public void SetSize(CollectionFile file, long size)
    {
        if (TryStart(JournalRecordType.SetSize, out var record))
        {
            record.Number(file.JournalId).Number(size);
            Finish();
        }
    }

    /// <summary>Ranges of the file that are on keepstores now. False when that could not be recorded: their data must stay.</summary>
    public bool Stored(CollectionFile file, IReadOnlyList<(long Start, ManifestSegment Place)> ranges)
    {
        if (!TryStart(JournalRecordType.Stored, out var record))
        {
            return false;
        }

        record.Number(file.JournalId).Small((uint)ranges.Count);
        foreach (var (start, place) in ranges)
        {
            record.Number(start).Text(place.Locator.ToString()).Small((uint)place.Offset).Small((uint)place.Length);
        }

        return Finish();
    }

    /// <summary>
    /// A save takes everything that was recorded so far, except the files that are named, with what stays saved at their path for now. Starts a log file, so that the ones before can go when the save is
    /// through. Returns its number.
    /// </summary>
    public ulong Taken(IReadOnlyList<(CollectionFile File, ContentFingerprint Saved)> kept)
    {
        _lastTaken++;
        Epoch++;
        _log = null;
        if (TryStart(JournalRecordType.Taken, out var record))
        {
            record.Number(_lastTaken).Small((uint)kept.Count);
            foreach (var (file, saved) in kept)
            {
                saved.Write(record.Number(file.JournalId).Text(file.Path).Small((uint)file.JournalSince));
                file.JournalEpoch = Epoch;
            }

            Finish();
        }

        return _lastTaken;
    }

    /// <summary>What the save is about to put into the catalogue; its blocks are stored.</summary>
    public void Saving(ulong taken, IReadOnlyList<SavedPath> entries)
    {
        for (var at = 0; at == 0 || at < entries.Count; at += EntriesPerRecord)
        {
            if (!TryStart(JournalRecordType.Saving, out var record))
            {
                return;
            }

            var count = Math.Min(EntriesPerRecord, entries.Count - at);
            var isLast = at + count == entries.Count;
            record.Number(taken).Small(isLast ? 1u : 0u).Small((uint)count);
            for (var i = at; i < at + count; i++)
            {
                var (id, path, kind, segments) = entries[i];
                record.Number(id).Text(path).Small((uint)kind).Segments(segments);
            }

            record.End();
            if ((isLast || record.Length > FlushBytes) && !Flush())
            {
                return;
            }
        }
    }

    /// <summary>The save is through: logs before <paramref name="oldestNeeded"/> can go.</summary>
    public void Committed(ulong taken, string portableDataHash, int oldestNeeded)
    {
        if (TryStart(JournalRecordType.Committed, out var record))
        {
            record.Number(taken).Text(portableDataHash);
            if (Finish())
            {
                RetireLogsBefore(oldestNeeded);
            }
        }
    }

    private bool TryStart(JournalRecordType type, out RecordWriter record)
    {
        record = _writer;
        if (HasFailed)
        {
            return false;
        }

        if (_log is null || (_log.Length > _owner.Options.FileBytes && _writer.Length == 0))
        {
            try
            {
                OpenLog();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Fail(e);
                return false;
            }
        }

        record.Begin(type, _sequence++);
        return true;
    }

    private bool Finish()
    {
        _writer.End();
        return Flush();
    }

    /// <summary>One write call for everything that was put together.</summary>
    private bool Flush()
    {
        try
        {
            var bytes = _writer.Bytes;
            RandomAccess.Write(_log!.Handle, bytes, _log.Length);
            Appended(_log, bytes.Length);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(e);
            return false;
        }
        finally
        {
            _writer.Clear();
        }
    }

    private void OpenLog()
    {
        ChainFiles.MakeFolder(_folder);
        _log = AddLog(ChainFiles.Log(_folder, ++_lastLog));
        RandomAccess.Write(_log.Handle, ChainFiles.Magic, 0);
        Appended(_log, ChainFiles.Magic.Length);
        _writer.Begin(JournalRecordType.Begin, _sequence++).Text(_uuid).Text(_baseHash()).End();
    }

    private void SetBound(CollectionFile file, bool isRecorded)
    {
        if (!isRecorded)
        {
            return;
        }

        file.JournalEpoch = Epoch;
        if (file.JournalSince == 0)
        {
            file.JournalSince = _lastLog;
        }
        else
        {
            file.JournalSinceTaken = _lastLog;
        }
    }

    private void Fail(Exception e)
    {
        HasFailed = true;
        Failure = e.Message;
        _owner.Log($"the journal cannot be written ({e.Message}); collection {_uuid} is saved at once instead");
    }
}

/// <summary>What a save does to a path. The numbers are on disk.</summary>
internal enum SavedKind
{
    /// <summary>It is removed.</summary>
    Nothing = 0,

    /// <summary>A file with that content.</summary>
    File = 1,

    /// <summary>A directory.</summary>
    Directory = 2,
}

/// <summary>A path that a save writes.</summary>
/// <param name="Id">The file's id in the journal, or 0.</param>
/// <param name="Path">Where.</param>
/// <param name="Kind">What will be there.</param>
/// <param name="Segments">The content of a file.</param>
internal readonly record struct SavedPath(ulong Id, string Path, SavedKind Kind, ManifestSegment[] Segments);
