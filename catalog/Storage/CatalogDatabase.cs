using System.Collections.Concurrent;
using System.Data.Common;
using KeepFs.Catalog.Storage.Postgres;
using KeepFs.Catalog.Storage.Sqlite;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Catalog.Storage;

/// <summary>
/// The catalogue's database in use: one writer with group commit, a bounded pool of readers, each in a snapshot of its own, every commit on stable storage
/// before it is answered. While the database is not there for longer than a restart takes, reads and writes are answered with 503. Safe for concurrent use.
/// </summary>
internal sealed class CatalogDatabase : IAsyncDisposable
{
    // Readers of SQLite work on a thread of the pool each; more of them than this only adds memory for page caches.
    private const int MaxReaders = 32;

    /// <summary>Stopping does not wait longer for what only listens.</summary>
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time;
    private readonly ConcurrentBag<CatalogConnection> _idle = [];
    private readonly SemaphoreSlim _readers;
    private readonly CommitQueue _writer;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _listening;
    private TaskCompletionSource _replaced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private CatalogDatabase(CatalogStore store, int readers, TimeProvider time)
    {
        (Store, _readers, _time, _writer) = (store, new SemaphoreSlim(readers), time, new CommitQueue(store, time));
        _listening = store.ListenAsync(Hear, _stopping.Token);
    }

    /// <summary>What each database does in its own way.</summary>
    public CatalogStore Store { get; }

    /// <summary>Transactions committed so far by this process.</summary>
    public long Commits => _writer.Commits;

    /// <summary>Writes in them; more than one share a transaction under load.</summary>
    public long Writes => _writer.Writes;

    /// <summary>Completes with the next commit of any process. Whoever takes it before he reads does not miss one.</summary>
    public Task Committed => _writer.Committed;

    /// <summary>Completes when records come from elsewhere (an import, a reset). No event tells of them one by one: who listens must look at everything again.</summary>
    public Task Replaced => Volatile.Read(ref _replaced).Task;

    /// <summary>Opens or creates the database that the configuration names and brings its schema up to date.</summary>
    /// <exception cref="ConfigException">The connection is not understood.</exception>
    /// <exception cref="InvalidOperationException">The database was written by a newer program, or cannot be used.</exception>
    public static CatalogDatabase Open(ClusterConfig config, TimeProvider time)
    {
        if (config.PostgreSQL.Connection.Count == 0)
        {
            return Open(config.Catalog.SqlitePath, time);
        }

        var folder = config.Catalog.SqlitePath.Length > 0 ? Path.GetDirectoryName(Path.GetFullPath(config.Catalog.SqlitePath))! : Path.GetTempPath();
        var store = PostgresStore.Open(PostgresConnection.Of(config.PostgreSQL, config.ClusterId), folder);
        return new CatalogDatabase(store, Math.Max(1, config.PostgreSQL.ConnectionPool), time);
    }

    /// <summary>Opens or creates a SQLite file and brings its schema up to date.</summary>
    /// <exception cref="InvalidOperationException">The file was written by a newer program.</exception>
    public static CatalogDatabase Open(string path, TimeProvider time) => new(SqliteStore.Open(path), MaxReaders, time);

    /// <summary>
    /// Runs a read in one snapshot. Waits for a free reader. When the connection is lost it runs again on another: it must not leave traces. A statement that
    /// runs when nobody waits for it any more is ended.
    /// </summary>
    public Task<T> ReadAsync<T>(Func<CatalogSession, T> read, CancellationToken ct) => ReadAsync(session => Task.FromResult(read(session)), isOne: false, ct);

    /// <summary>As <see cref="ReadAsync{T}(Func{CatalogSession, T}, CancellationToken)"/> for statements that need no snapshot together, because there is one only or they have nothing to do with each other.</summary>
    public Task<T> ReadOneAsync<T>(Func<CatalogSession, Task<T>> read, CancellationToken ct) => ReadAsync(read, isOne: true, ct);

    /// <summary>
    /// One snapshot for a read of many steps. It holds one of the readers until it is disposed, and the database keeps everything that is replaced meanwhile.
    /// </summary>
    public Task<CatalogSnapshot> OpenSnapshotAsync(CancellationToken ct) => OpenSnapshotAsync(isEager: true, isOne: false, ct);

    /// <summary>Runs a write in the order of arrival; completes when its transaction is on stable storage.</summary>
    public Task<T> WriteAsync<T>(Func<WriteSession, T> write, CancellationToken ct) => _writer.EnqueueAsync(write, ct);

    /// <summary>To be called when the transaction of an import or a reset is committed.</summary>
    public void TellReplaced() => Interlocked.Exchange(ref _replaced, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();

        // A wait for notifications has been seen not to end although it was cancelled; its connection ends with the process then.
        await Task.WhenAny(_listening, Task.Delay(StopWithin));
        await _writer.DisposeAsync();
        await DisposeIdleAsync();
        _readers.Dispose();
        _stopping.Dispose();
    }

    private static ApiException Unavailable() => new(503, "the catalogue's database cannot be reached; try again later");

    private void Hear(bool areReplaced)
    {
        _writer.TellCommitted();
        if (areReplaced)
        {
            TellReplaced();
        }
    }

    private async Task<T> ReadAsync<T>(Func<CatalogSession, Task<T>> read, bool isOne, CancellationToken ct)
    {
        for (var isLast = false; ; isLast = true)
        {
            using var snapshot = await OpenSnapshotAsync(isEager: isLast, isOne, ct);

            // Disposed before the snapshot: it never ends another's statement.
            using var interrupt = ct.UnsafeRegister(static state => ((CatalogSnapshot)state!).Interrupt(), snapshot);
            try
            {
                return await read(snapshot.Session);
            }
            catch (DbException e) when (ct.IsCancellationRequested)
            {
                throw new OperationCanceledException("The read was cancelled.", e, ct);
            }
            catch (DbException) when (snapshot.Session.IsLost)
            {
                if (isLast)
                {
                    throw Unavailable();
                }

                await DisposeIdleAsync();
            }
        }
    }

    private async Task<CatalogSnapshot> OpenSnapshotAsync(bool isEager, bool isOne, CancellationToken ct)
    {
        await _readers.WaitAsync(ct);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                if (TryOpenSnapshot(isEager, isOne) is { } snapshot)
                {
                    return snapshot;
                }

                if (attempt == CatalogStore.MaxAttempts)
                {
                    throw Unavailable();
                }

                // The server is restarted, perhaps. Its clock is not the one of our records.
                await Task.Delay(CatalogStore.AttemptAfter, ct);
            }
        }
        catch
        {
            _readers.Release();
            throw;
        }
    }

    /// <summary>Null when there is no connection.</summary>
    private CatalogSnapshot? TryOpenSnapshot(bool isEager, bool isOne)
    {
        CatalogConnection? connection = null;
        try
        {
            connection = _idle.TryTake(out var idle) ? idle : Store.Connect(isWriter: false);
            // What may run once more finds out by itself whether its connection is there.
            var isPlain = isOne && !isEager;
            if (!isPlain)
            {
                Store.BeginRead(connection, isEager);
            }

            return new CatalogSnapshot(new CatalogSession(connection, _time.GetUtcNow()), () => Return(connection, isPlain), () => Store.Interrupt(connection));
        }
        catch (DbException) when (connection is null or { IsLost: true })
        {
            connection?.Dispose();
            return null;
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    private void Return(CatalogConnection connection, bool isPlain)
    {
        try
        {
            if (!connection.IsLost && !isPlain)
            {
                connection.Execute("ROLLBACK");
            }
        }
        catch (DbException) when (connection.IsLost)
        {
            // Nothing to end.
        }
        finally
        {
            if (connection.IsLost)
            {
                connection.Dispose();
            }
            else
            {
                _idle.Add(connection);
            }

            _readers.Release();
        }
    }

    // When one connection is lost, so are the others, probably.
    private async Task DisposeIdleAsync()
    {
        while (_idle.TryTake(out var connection))
        {
            await connection.DisposeAsync();
        }
    }
}
