using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>The first pass over a chain: which collection it is, from which save on it counts, and where a new log continues.</summary>
internal sealed class ChainScan
{
    private readonly Dictionary<ulong, List<SavedPath>> _savings = [];
    private readonly Dictionary<ulong, ManifestSegment[]> _asTaken = [];
    private readonly Dictionary<ulong, HashSet<ContentFingerprint>> _contents = [];
    private readonly HashSet<ulong> _complete = [];
    private readonly Dictionary<ulong, (ulong Sequence, List<KeptFile> Kept)> _takens = [];

    private bool _changedSinceTaken;

    private ChainScan(string folder) => Folder = folder;

    public string Folder { get; }

    /// <summary>Empty when not even the first record is whole: nothing was ever answered from it.</summary>
    public string Uuid { get; private set; } = "";

    public int LastLog { get; private set; }

    /// <summary>The last log of which something could be read.</summary>
    public int LastReadLog { get; private set; }

    public ulong NextSequence { get; private set; }

    public ulong LastId { get; private set; }

    public ulong LastTaken { get; private set; }

    /// <summary>The last save that got through, or 0.</summary>
    public ulong Committed { get; private set; }

    /// <summary>The content that the collection had after it, or when the chain was started.</summary>
    public string CommittedHash { get; private set; } = "";

    /// <summary>Something was recorded that the last save did not take.</summary>
    public bool HasChanges { get; private set; }

    public string? Damage { get; private set; }

    public long DroppedBytes { get; private set; }

    /// <summary>Sequence number from which on everything counts.</summary>
    public ulong Start => Committed == 0 ? 0 : _takens[Committed].Sequence;

    /// <summary>Files that the last save did not take.</summary>
    public IReadOnlyList<KeptFile> Kept => Committed == 0 ? [] : _takens[Committed].Kept;

    /// <summary>What the last save that got through and the ones tried after it put where.</summary>
    public IEnumerable<SavedPath> Saved => _savings.Values.SelectMany(entries => entries);

    /// <summary>The save after the last one that got through, if everything was ready for it: its answer may have been lost.</summary>
    public IEnumerable<(ulong Taken, IReadOnlyList<SavedPath> Entries)> Unanswered =>
        _complete.Where(taken => taken > Committed).OrderDescending().Select(taken => (taken, (IReadOnlyList<SavedPath>)_savings[taken]));

    /// <summary>What the last save before it put into that file, or null.</summary>
    public ManifestSegment[]? AsTaken(ulong id) => _asTaken.GetValueOrDefault(id);

    /// <summary>Some save was about to put that content into that file.</summary>
    public bool WasSaving(ulong id, ContentFingerprint content) => _contents.TryGetValue(id, out var contents) && contents.Contains(content);

    public static ChainScan Read(string folder)
    {
        var scan = new ChainScan(folder);
        var reader = new ChainReader(folder);
        foreach (var record in reader.Read())
        {
            try
            {
                scan.Take(record);
                (scan.NextSequence, scan.LastReadLog) = (record.Sequence + 1, record.File);
            }
            catch (InvalidDataException e)
            {
                // Its checksum was right: not damage of the disk, but not ours to guess at either.
                scan.Damage = $"{folder}: {e.Message}";
                break;
            }
        }

        scan.Damage ??= reader.Damage;
        scan.DroppedBytes = reader.DroppedBytes;
        scan.LastLog = ChainFiles.Numbers(folder, ".log").LastOrDefault();
        return scan;
    }

    /// <summary>
    /// That save turned out to be in the catalogue. What the ones before it were about to put where is remembered all the same: the files that were left over
    /// may stem from those.
    /// </summary>
    public void TakeAsCommitted(ulong taken)
    {
        (Committed, CommittedHash) = (taken, "");
        HasChanges = taken != LastTaken || _changedSinceTaken || Kept.Count > 0;
    }

    private void Take(in JournalRecord record)
    {
        var fields = new RecordReader(record.Payload.Span);
        switch (record.Type)
        {
            case JournalRecordType.Begin:
                var isFirst = Uuid.Length == 0;
                Uuid = fields.Text();
                CommittedHash = isFirst ? fields.Text() : CommittedHash;
                break;
            case JournalRecordType.Create or JournalRecordType.Bind:
                LastId = Math.Max(LastId, fields.Number());
                HasChanges = true;
                break;
            case JournalRecordType.Taken:
                LastTaken = fields.Number();
                var kept = new List<KeptFile>();
                for (var count = fields.Small(); count > 0; count--)
                {
                    kept.Add(new KeptFile(fields.Number(), fields.Text(), (int)fields.Small(), fields.Fingerprint()));
                }

                _takens[LastTaken] = (record.Sequence, kept);
                _changedSinceTaken = false;
                break;
            case JournalRecordType.Saving:
                TakeSaving(ref fields);
                return;
            case JournalRecordType.Committed:
                var number = fields.Number();
                if (_takens.ContainsKey(number))
                {
                    Committed = number;
                    CommittedHash = fields.Text();
                    Trim();
                    HasChanges = _changedSinceTaken || Kept.Count > 0;
                }

                return;
            default:
                HasChanges = true;
                break;
        }

        _changedSinceTaken |= record.Type is not (JournalRecordType.Taken or JournalRecordType.Begin or JournalRecordType.Stored);
    }

    private void TakeSaving(ref RecordReader fields)
    {
        var (taken, isLast) = (fields.Number(), fields.Small() == 1);
        if (!_savings.TryGetValue(taken, out var entries))
        {
            _savings.Add(taken, entries = []);
        }

        for (var count = fields.Small(); count > 0; count--)
        {
            var (id, path, kind) = (fields.Number(), fields.Text(), (SavedKind)fields.Small());
            var segments = fields.Segments();
            entries.Add(new SavedPath(id, path, kind, segments));
            if (kind == SavedKind.File && id != 0)
            {
                _asTaken[id] = segments;
                if (!_contents.TryGetValue(id, out var contents))
                {
                    _contents.Add(id, contents = []);
                }

                contents.Add(ContentFingerprint.Of(segments));
            }
        }

        if (isLast)
        {
            _complete.Add(taken);
        }
    }

    private void Trim()
    {
        foreach (var old in _takens.Keys.Where(taken => taken < Committed).ToArray())
        {
            _takens.Remove(old);
            _savings.Remove(old);
            _complete.Remove(old);
        }

        var needed = Kept.Select(file => file.Id).Concat(Saved.Select(entry => entry.Id)).ToHashSet();
        foreach (var id in _asTaken.Keys.Where(id => !needed.Contains(id)).ToArray())
        {
            _asTaken.Remove(id);
            _contents.Remove(id);
        }
    }
}

/// <summary>A file that a save left for a later one.</summary>
/// <param name="Id">Its id in the journal.</param>
/// <param name="Path">Where it was when the save began.</param>
/// <param name="Since">Number of the first log that says anything about what is unsaved of it.</param>
/// <param name="Saved">What was and stayed saved at that path, whichever file that was.</param>
internal readonly record struct KeptFile(ulong Id, string Path, int Since, ContentFingerprint Saved);
