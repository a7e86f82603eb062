using System.Collections.Concurrent;
using System.Data.Common;
using KeepFs.Catalog.Storage.Sqlite;

namespace KeepFs.Catalog.Storage;

/// <summary>
/// The catalogue's database in use: one writer with group commit, a bounded pool of readers, each in a snapshot of its own, every commit on stable storage
/// before it is answered. Safe for concurrent use.
/// </summary>
internal sealed class CatalogDatabase : IAsyncDisposable
{
    // Readers work on a thread of the pool each; more of them than this only adds memory for page caches.
    private const int MaxReaders = 32;

    private readonly TimeProvider _time;
    private readonly ConcurrentBag<CatalogConnection> _idle = [];
    private readonly SemaphoreSlim _readers = new(MaxReaders);
    private readonly CommitQueue _writer;

    private CatalogDatabase(CatalogStore store, TimeProvider time) => (Store, _time, _writer) = (store, time, new CommitQueue(store, time));

    /// <summary>What each database does in its own way.</summary>
    public CatalogStore Store { get; }

    /// <summary>Transactions committed so far.</summary>
    public long Commits => _writer.Commits;

    /// <summary>Writes in them; more than one share a transaction under load.</summary>
    public long Writes => _writer.Writes;

    /// <summary>Completes with the next commit. Whoever takes it before he reads does not miss one.</summary>
    public Task Committed => _writer.Committed;

    /// <summary>Opens or creates a SQLite file and brings its schema up to date.</summary>
    /// <exception cref="InvalidOperationException">The file was written by a newer program.</exception>
    public static CatalogDatabase Open(string path, TimeProvider time) => new(SqliteStore.Open(path), time);

    /// <summary>Runs a read in one snapshot. Waits for a free reader. A statement that runs when nobody waits for it any more is ended.</summary>
    public async Task<T> ReadAsync<T>(Func<CatalogSession, T> read, CancellationToken ct)
    {
        using var snapshot = await OpenSnapshotAsync(ct);

        // Disposed before the snapshot: it never ends another's statement.
        using var interrupt = ct.UnsafeRegister(static state => ((CatalogSnapshot)state!).Interrupt(), snapshot);
        try
        {
            return read(snapshot.Session);
        }
        catch (DbException e) when (ct.IsCancellationRequested)
        {
            throw new OperationCanceledException("The read was cancelled.", e, ct);
        }
    }

    /// <summary>
    /// One snapshot for a read of many steps. It holds one of the readers until it is disposed, and the database keeps everything that is replaced meanwhile.
    /// </summary>
    public async Task<CatalogSnapshot> OpenSnapshotAsync(CancellationToken ct)
    {
        await _readers.WaitAsync(ct);
        try
        {
            if (!_idle.TryTake(out var connection))
            {
                connection = Store.Connect();
            }

            try
            {
                Store.BeginRead(connection);
                return new CatalogSnapshot(new CatalogSession(connection, _time.GetUtcNow()), () => Return(connection), () => Store.Interrupt(connection));
            }
            catch
            {
                _idle.Add(connection);
                throw;
            }
        }
        catch
        {
            _readers.Release();
            throw;
        }
    }

    /// <summary>Runs a write in the order of arrival; completes when its transaction is on stable storage.</summary>
    public Task<T> WriteAsync<T>(Func<WriteSession, T> write, CancellationToken ct) => _writer.EnqueueAsync(write, ct);

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        foreach (var connection in _idle)
        {
            await connection.DisposeAsync();
        }

        _readers.Dispose();
    }

    private void Return(CatalogConnection connection)
    {
        try
        {
            connection.Execute("ROLLBACK");
        }
        finally
        {
            _idle.Add(connection);
            _readers.Release();
        }
    }
}
