using System.Collections.Concurrent;
using System.Globalization;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>
/// The staging journal of one mount: a folder on the local disk where every change is recorded before it is answered, until keepstores and catalogue have it.
/// What a process that died has left there is replayed by the next one (<see cref="ReplayAsync(CollectionServices, TimeSpan, CancellationToken)"/>). Safe for concurrent use; one process at a time holds
/// each folder.
/// </summary>
public sealed partial class StagingJournal : IAsyncDisposable
{
    private const string LockName = "lock";
    private const string DiscardPrefix = "discard-";
    private const string DamagedPrefix = "damaged-";

    private readonly List<FileStream> _locks = [];
    private readonly string _folder;
    private readonly ConcurrentDictionary<CollectionJournal, bool> _open = new();
    private readonly ConcurrentDictionary<PendingChain, bool> _pending = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _syncing;
    private Task _replaying = Task.CompletedTask;
    private long _bytes;
    private int _lastChain;

    private StagingJournal(string root, string token, JournalOptions options, TimeProvider time, Action<string> log)
    {
        (Options, Time, Log, _token) = (options, time, log, token);
        ChainFiles.MakeFolder(root);
        for (var i = 0; ; i++)
        {
            var folder = Path.Combine(root, i.ToString(CultureInfo.InvariantCulture));
            if (TryLock(folder))
            {
                _folder = folder;
                break;
            }
        }

        foreach (var other in Directory.EnumerateDirectories(root).Where(folder => folder != _folder && Directory.EnumerateDirectories(folder).Any() && TryLock(folder)))
        {
            Find(other);
        }

        Find(_folder);
        KeepTokens([_folder]);
        _syncing = new Thread(SyncLoop) { IsBackground = true, Name = "journal" };
    }

    /// <summary>Bytes of the files that are not superseded yet.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>What earlier processes left and is not saved yet.</summary>
    public IReadOnlyCollection<PendingChain> Pending => [.. _pending.Keys];

    /// <summary>The folder of this mount's own journal.</summary>
    public string Folder => _folder;

    /// <summary>Why the last sync failed; null while the disk is well.</summary>
    public string? SyncFailure { get; private set; }

    internal JournalOptions Options { get; }

    internal TimeProvider Time { get; }

    internal Action<string> Log { get; }

    /// <summary>One at a time puts memory aside (<see cref="CreateSpill"/>).</summary>
    internal SemaphoreSlim Spilling { get; } = new(1, 1);

    internal bool IsFull => Bytes >= Options.MaxBytes;

    /// <summary>Takes a free journal below <paramref name="root"/>, makes one if all are in use, and adopts what dead processes left in the others.</summary>
    /// <param name="root">The folder of all journals of one user of one cluster.</param>
    /// <param name="token">What the blocks of this process are signed for; kept beside the journal for whoever replays it.</param>
    /// <param name="options">Limits.</param>
    /// <param name="time">Clock.</param>
    /// <param name="log">Told what a user should know.</param>
    /// <exception cref="IOException">The folder cannot be made or used.</exception>
    public static StagingJournal Open(string root, string token, JournalOptions options, TimeProvider time, Action<string> log)
    {
        var journal = new StagingJournal(Path.GetFullPath(root), token, options, time, log);
        journal._syncing.Start();
        return journal;
    }

    /// <summary>What dead processes left in the journal in <paramref name="folder"/>; nothing if a process holds it.</summary>
    public static IReadOnlyList<PendingChain> Abandoned(string folder)
    {
        try
        {
            using var held = new FileStream(Path.Combine(folder, LockName), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return [.. Chains(folder).Select(chain => new PendingChain(chain))];
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>
    /// Brings unsaved changes of dead processes into their collections, merging like any save. What fails stays and is tried again in the background, with
    /// growing delays. Returns after everything was tried once, or after <paramref name="patience"/>.
    /// </summary>
    public async Task ReplayAsync(CollectionServices services, TimeSpan patience, CancellationToken cancellationToken)
    {
        var firstRound = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _replaying = ReplayAllAsync(services, firstRound, _closing.Token);
        await Task.WhenAny(firstRound.Task, Task.Delay(patience, Time, cancellationToken));
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Makes durable what was recorded before the call.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public void SyncNow() => Sync(TimeSpan.Zero);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _replaying;
        _stop.Set();
        _syncing.Join();
        foreach (var chain in _open.Keys)
        {
            chain.Close();
        }

        DeleteDiscarded(_folder);
        ForgetToken();
        _locks.ForEach(held => held.Dispose());
        _stop.Dispose();
        Spilling.Dispose();
        _closing.Dispose();
    }

    /// <param name="uuid">The collection.</param>
    /// <param name="baseHash">Tells the content that its changes are based on; called under the collection's lock.</param>
    internal CollectionJournal Start(string uuid, Func<string> baseHash) => new(this, NewChainFolder(uuid), uuid, baseHash);

    internal string NewChainFolder(string uuid)
    {
        while (true)
        {
            var folder = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{uuid}.{Interlocked.Increment(ref _lastChain)}"));
            if (!Directory.Exists(folder))
            {
                return folder;
            }
        }
    }

    /// <summary>Next to the chain, so that it can be renamed there.</summary>
    internal string NewDiscardFolder(string chain, bool isKept)
    {
        var target = Path.Combine(Path.GetDirectoryName(chain)!, (isKept ? DamagedPrefix : DiscardPrefix) + Guid.NewGuid().ToString("N"));
        if (isKept)
        {
            Log($"what could not be read of the journal is kept in {target}");
        }

        return target;
    }

    /// <summary>A file for what memory has no room for; without a name from the start.</summary>
    /// <exception cref="IOException">The disk does not take it.</exception>
    internal SpillFile CreateSpill()
    {
        var path = Path.Combine(_folder, "spill");
        File.Delete(path);
        var handle = ChainFiles.CreateFile(path);
        File.Delete(path);
        return new SpillFile(handle);
    }

    internal void Opened(CollectionJournal chain) => _open[chain] = true;

    internal void Closed(CollectionJournal chain) => _open.TryRemove(chain, out _);

    internal void AddBytes(long count) => Interlocked.Add(ref _bytes, count);

    /// <summary>Their folder has another name now and is deleted by the next round of the syncing thread.</summary>
    internal void Discard(IEnumerable<JournalFile> files, long adoptedBytes)
    {
        AddBytes(-adoptedBytes);
        foreach (var file in files.Where(file => file.Close()))
        {
            AddBytes(-file.Length);
        }
    }

    internal void DeleteNow(IEnumerable<JournalFile> files)
    {
        foreach (var file in files.Where(file => file.Close()))
        {
            AddBytes(-file.Length);
            Remove(file.Path);
        }
    }

    internal long Delete(string path)
    {
        var file = new FileInfo(path);
        var bytes = file.Exists ? file.Length : 0;
        AddBytes(-bytes);
        Remove(path);
        return bytes;
    }

    private void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // The whole chain was put away meanwhile.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log($"journal: {path} is not needed any more and cannot be removed: {e.Message}");
        }
    }

    private bool TryLock(string folder)
    {
        ChainFiles.MakeFolder(folder);
        try
        {
            // An advisory lock that ends with the process, however it ends.
            var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            _locks.Add(new FileStream(Path.Combine(folder, LockName), options));
            return true;
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException))
        {
            return false;
        }
    }

    private void Find(string folder)
    {
        DeleteDiscarded(folder);
        foreach (var chain in Chains(folder))
        {
            _pending[new PendingChain(chain)] = true;
        }
    }

    private static IEnumerable<string> Chains(string folder) => Directory.EnumerateDirectories(folder).Where(path =>
        Path.GetFileName(path) is var name && !name.StartsWith(DamagedPrefix, StringComparison.Ordinal) && !name.StartsWith(DiscardPrefix, StringComparison.Ordinal));

    private void DeleteDiscarded(string folder)
    {
        try
        {
            foreach (var path in Directory.EnumerateDirectories(folder, DiscardPrefix + "*"))
            {
                Directory.Delete(path, recursive: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log($"journal: what is not needed any more cannot be removed from {folder}: {e.Message}");
        }
    }

    private async Task ReplayAllAsync(CollectionServices services, TaskCompletionSource firstRound, CancellationToken cancellationToken)
    {
        var delay = services.Options.RetryDelay;
        try
        {
            while (!_pending.IsEmpty)
            {
                foreach (var chain in _pending.Keys.OrderBy(chain => chain.Folder, StringComparer.Ordinal))
                {
                    await ReplayAsync(services, chain, cancellationToken);
                }

                KeepTokens(_locks.Select(held => Path.GetDirectoryName(held.Name)!));
                firstRound.TrySetResult();
                if (!_pending.IsEmpty)
                {
                    await Task.Delay(delay, Time, cancellationToken);
                    delay = delay * 2 < services.Options.MaxRetryDelay ? delay * 2 : services.Options.MaxRetryDelay;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The mount ends; the next one goes on.
        }
        finally
        {
            firstRound.TrySetResult();
        }
    }

    private async Task ReplayAsync(CollectionServices services, PendingChain chain, CancellationToken cancellationToken)
    {
        try
        {
            await JournalReplay.RunAsync(this, services, chain, cancellationToken);
            _pending.TryRemove(chain, out _);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            if (chain.LastError != e.Message)
            {
                Log($"unsaved changes of an earlier mount in {chain.Folder} are not saved yet, will be tried again: {e.Message}");
            }

            chain.LastError = e.Message;
        }
    }

    private void SyncLoop()
    {
        while (!_stop.Wait(Options.SyncInterval))
        {
            try
            {
                Sync(Options.DataSyncDelay);
                SyncFailure = null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (SyncFailure != e.Message)
                {
                    Log($"the journal in {_folder} cannot be made durable: {e.Message}");
                }

                SyncFailure = e.Message;
            }
        }
    }

    private void Sync(TimeSpan patience)
    {
        lock (_stop)
        {
            foreach (var chain in _open.Keys)
            {
                chain.Sync(patience);
            }

            DeleteDiscarded(_folder);
        }
    }
}
