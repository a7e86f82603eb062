using System.Globalization;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>The files of a chain: when they become durable and when they go. Called by writers, the collection and the syncing thread.</summary>
internal sealed partial class CollectionJournal
{
    private readonly Lock _lock = new();
    private readonly List<JournalFile> _logs = [];
    private readonly List<JournalFile> _datas = [];
    private readonly List<JournalFile> _retired = [];
    private readonly List<string> _adopted = [];
    private JournalFile? _data;
    private int _lastData;
    private int _firstNeededLog;
    private long _adoptedBytes;
    private bool _hasNewNames;

    /// <summary>Set: the files are kept aside when they are no longer needed, because part of them could not be read.</summary>
    public bool KeepsAside { get; init; }

    /// <summary>
    /// Puts large data into a data file, outside the collection's lock. The caller drops the hold on the file when the record is written and the segment in
    /// memory holds it. Null when the disk does not take it; <see cref="HasFailed"/> is set.
    /// </summary>
    public BulkData? WriteBulk(ReadOnlySpan<byte> data)
    {
        JournalFile? file = null;
        try
        {
            long position;
            lock (_lock)
            {
                if (HasFailed)
                {
                    return null;
                }

                if (_data is null || _data.Length >= _owner.Options.FileBytes)
                {
                    OpenData();
                }

                file = _data!;
                file.Hold();
                position = file.Length;
                Count(file, data.Length);
            }

            RandomAccess.Write(file.Handle, data, position);
            return new BulkData(file, position, data.Length, JournalChecksum.Compute(data));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file?.Drop();
            Fail(e);
            return null;
        }
    }

    /// <summary>
    /// Nothing of the collection is unsaved: the whole chain goes. False while a write is on its way into it. The name changes at once, so that what is left
    /// after a crash is not taken for unsaved changes; the bytes go in the background.
    /// </summary>
    public bool TryClear()
    {
        lock (_lock)
        {
            if (_datas.Exists(file => file.IsNeeded))
            {
                return false;
            }

            if (_lastLog + _lastData == 0 && !HasFailed)
            {
                return true;
            }

            try
            {
                if (Directory.Exists(_folder))
                {
                    Directory.Move(_folder, _owner.NewDiscardFolder(_folder, KeepsAside));
                }
            }
            catch (IOException e)
            {
                _owner.Log($"the journal {_folder}, which is saved, cannot be put away: {e.Message}");
                return false;
            }

            _owner.Discard([.. _logs, .. _datas, .. _retired], _adoptedBytes);

            _logs.Clear();
            _datas.Clear();
            _retired.Clear();
            _adopted.Clear();
            (_log, _data, _lastLog, _lastData, _firstNeededLog, _sequence) = (null, null, 0, 0, 0, 0);
            _folder = _owner.NewChainFolder(_uuid);
            _writer.Clear();
            _adoptedBytes = 0;
            Epoch++;
            (HasFailed, Failure) = (false, null);
            return true;
        }
    }

    /// <summary>Closes the files and leaves them where they are, for the next mount.</summary>
    public void Close()
    {
        lock (_lock)
        {
            HasFailed = true;
            Failure ??= "the collection was closed";
            foreach (var file in _logs.Concat(_datas).Concat(_retired))
            {
                file.Close();
            }

            _owner.Closed(this);
        }
    }

    /// <summary>
    /// Makes durable what was recorded before the call, then deletes what a durable record supersedes. Data files are given <paramref name="patience"/> to
    /// become superfluous first. Called by one thread at a time.
    /// </summary>
    /// <exception cref="IOException">The disk failed; nothing was deleted.</exception>
    public void Sync(TimeSpan patience)
    {
        JournalFile[] retired;
        string[] adopted;
        (JournalFile File, long Length)[] logs;
        bool hasNewNames;
        lock (_lock)
        {
            if (_data is { IsNeeded: false, Length: > 0 })
            {
                _data.IsSealed = true;
                _data = null;
            }

            foreach (var data in _datas.FindAll(file => file is { IsSealed: true, IsNeeded: false }))
            {
                _datas.Remove(data);
                _retired.Add(data);
            }

            retired = [.. _retired];
            adopted = [.. _adopted];
            logs = [.. _logs.Where(log => log.SyncedLength < log.Length).Select(log => (log, log.Length))];
            (hasNewNames, _hasNewNames) = (_hasNewNames, false);
        }

        foreach (var (log, length) in logs)
        {
            Flush(log, length);
        }

        if (hasNewNames && Directory.Exists(_folder))
        {
            ChainFiles.SyncFolder(_folder);
        }

        foreach (var path in adopted.Where(path => LogNumber(path) < _firstNeededLog))
        {
            var bytes = _owner.Delete(path);
            lock (_lock)
            {
                _adoptedBytes -= _adopted.Remove(path) ? bytes : 0;
            }
        }

        lock (_lock)
        {
            _retired.RemoveAll(file => retired.Contains(file));
        }

        _owner.DeleteNow(retired);
        SyncDatas(patience);
    }

    private void SyncDatas(TimeSpan patience)
    {
        (JournalFile File, long Length)[] datas;
        lock (_lock)
        {
            datas =
            [
                .. _datas.Where(data => data.IsNeeded && data.SyncedLength < data.Length && _owner.Time.GetElapsedTime(data.UnsyncedSince) >= patience)
                    .Select(data => (data, data.Length)),
            ];
        }

        foreach (var (data, length) in datas)
        {
            Flush(data, length);
        }
    }

    private void Flush(JournalFile file, long length)
    {
        file.Sync();
        lock (_lock)
        {
            file.SyncedLength = Math.Max(file.SyncedLength, length);
            file.UnsyncedSince = _owner.Time.GetTimestamp();
        }
    }

    private JournalFile AddLog(string path)
    {
        var log = new JournalFile(_lastLog, path);
        lock (_lock)
        {
            _logs.Add(log);
            _hasNewNames = true;
        }

        _owner.Opened(this);
        return log;
    }

    /// <summary>Under the lock.</summary>
    private void OpenData()
    {
        if (_data is { } full)
        {
            full.IsSealed = true;
        }

        ChainFiles.MakeFolder(_folder);
        _data = new JournalFile(++_lastData, ChainFiles.Data(_folder, _lastData));
        _datas.Add(_data);
        _hasNewNames = true;
    }

    private void Appended(JournalFile file, int bytes)
    {
        lock (_lock)
        {
            Count(file, bytes);
        }
    }

    private void Count(JournalFile file, int bytes)
    {
        if (file.SyncedLength == file.Length)
        {
            file.UnsyncedSince = _owner.Time.GetTimestamp();
        }

        file.Length += bytes;
        _owner.AddBytes(bytes);
    }

    private void RetireLogsBefore(int oldestNeeded)
    {
        lock (_lock)
        {
            _firstNeededLog = oldestNeeded;
            foreach (var log in _logs.FindAll(log => log.Number < oldestNeeded && log != _log))
            {
                _logs.Remove(log);
                _retired.Add(log);
            }
        }
    }

    /// <summary>
    /// Files of an earlier process: they count, and the logs go with the next saves. Their data files stay until the chain is cleared: nothing in memory says
    /// which of them are still needed.
    /// </summary>
    private void Adopt(string folder)
    {
        _adopted.AddRange(Directory.EnumerateFiles(folder, "*.log"));
        _adoptedBytes = Directory.EnumerateFiles(folder).Sum(path => new FileInfo(path).Length);
        _owner.AddBytes(_adoptedBytes);
        _owner.Opened(this);
    }

    private static int LogNumber(string path) => int.Parse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture);
}

/// <summary>Bytes that were put into a data file, which is held.</summary>
internal sealed record BulkData(JournalFile File, long Position, int Length, uint Checksum);
