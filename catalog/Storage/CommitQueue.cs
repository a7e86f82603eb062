using System.Data.Common;
using System.Threading.Channels;

namespace KeepFs.Catalog.Storage;

/// <summary>
/// The one writer of this process. Writes that wait at the same time share a transaction, each in a savepoint of its own, so that they share the cost
/// of reaching stable storage; each is answered only after the commit. Safe for concurrent use.
/// </summary>
internal sealed class CommitQueue : IAsyncDisposable
{
    // Beyond this many waiting writes, callers wait to get into the line.
    private const int MaxWaiting = 1024;

    // Bounds how long the first write of a transaction waits for the others.
    private const int MaxBatch = 64;

    private const string Savepoint = "SAVEPOINT job";

    private readonly CatalogStore _store;
    private readonly ManualResetEventSlim _stopping = new();
    private CatalogConnection? _connection;
    private readonly TimeProvider _time;
    private readonly Channel<Job> _jobs = Channel.CreateBounded<Job>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly Thread _thread;
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TaskCompletionSource _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _batch;
    private long _commits;
    private long _writes;

    public CommitQueue(CatalogStore store, TimeProvider time)
    {
        (_store, _connection, _time) = (store, store.Connect(isWriter: true), time);
        _thread = new Thread(Run) { IsBackground = true, Name = "catalog-writer" };
        _thread.Start();
    }

    public long Commits => Interlocked.Read(ref _commits);

    public long Writes => Interlocked.Read(ref _writes);

    /// <summary>Completes with the next commit. Whoever takes it before he reads does not miss one.</summary>
    public Task Committed => Volatile.Read(ref _committed).Task;

    /// <summary>Another process has committed.</summary>
    public void TellCommitted() => Interlocked.Exchange(ref _committed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

    public async Task<T> EnqueueAsync<T>(Func<WriteSession, T> write, CancellationToken ct)
    {
        var job = new Job<T>(write, ct);
        await _jobs.Writer.WriteAsync(job, ct);
        return await job.Result;
    }

    public async ValueTask DisposeAsync()
    {
        _jobs.Writer.TryComplete();
        _stopping.Set();
        await _finished.Task;
        _connection?.Dispose();
        _stopping.Dispose();
    }

    private void Run()
    {
        var batch = new List<Job>(MaxBatch);
        // A thread of its own: databases block, and the pool's threads are for requests.
        while (_jobs.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (batch.Count < MaxBatch && _jobs.Reader.TryRead(out var job))
            {
                if (!job.TryCancel())
                {
                    batch.Add(job);
                }
            }

            if (batch.Count > 0)
            {
                Commit(batch);
                batch.Clear();
            }
        }

        _finished.SetResult();
    }

    private void Commit(List<Job> batch)
    {
        var isCommitting = false;
        try
        {
            var connection = Begin();
            connection.Execute(Savepoint);
            foreach (var job in batch)
            {
                RunInSavepoint(connection, job);
            }

            isCommitting = true;
            _store.Commit(connection, ++_batch);
        }
        catch (Exception e)
        {
            if (_connection is { IsLost: false })
            {
                RollBack(_connection);
            }
            else if (!isCommitting)
            {
                e = new ApiException(503, "the connection to the catalogue's database was lost; nothing was saved, try again");
            }
            else if (WasCommitted() is not { } isCommitted)
            {
                e = new ApiException(503, "the connection to the catalogue's database was lost while it saved the change; look whether it is there before you try again");
            }
            else if (isCommitted)
            {
                Succeed(batch);
                return;
            }
            else
            {
                e = new ApiException(503, "the connection to the catalogue's database was lost; nothing was saved, try again");
            }

            foreach (var job in batch)
            {
                job.FailTransaction(e);
            }

            return;
        }

        Succeed(batch);
    }

    private void Succeed(List<Job> batch)
    {
        Interlocked.Increment(ref _commits);
        Interlocked.Add(ref _writes, batch.Count);
        TellCommitted();
        foreach (var job in batch)
        {
            job.Complete();
        }
    }

    /// <summary>A transaction; nothing has run in it, so that it may be begun as often as it takes.</summary>
    private CatalogConnection Begin() => Insist(connection =>
    {
        _store.BeginWrite(connection);
        return connection;
    });

    /// <summary>What became of the last batch; null when nobody can say.</summary>
    private bool? WasCommitted()
    {
        try
        {
            return Insist(connection => (bool?)_store.WasCommitted(connection, _batch));
        }
        catch (DbException)
        {
            return null;
        }
    }

    /// <summary>Runs the first thing on a connection, which is replaced by another while it is lost.</summary>
    private T Insist<T>(Func<CatalogConnection, T> first)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (_connection is { IsLost: true })
                {
                    _connection.Dispose();
                    _connection = null;
                }

                return first(_connection ??= _store.Connect(isWriter: true));
            }
            catch (DbException) when (_connection is null or { IsLost: true } && attempt < CatalogStore.MaxAttempts && (attempt == 1 || !_stopping.Wait(CatalogStore.AttemptAfter)))
            {
                // The server is restarted, perhaps. At first it is only our connection that is gone.
            }
        }
    }

    private void RunInSavepoint(CatalogConnection connection, Job job)
    {
        try
        {
            job.Run(new WriteSession(connection, _time.GetUtcNow()));
            connection.Later(new SqlText(connection.Dialect).Append("RELEASE job"));
            connection.Later(new SqlText(connection.Dialect).Append(Savepoint));
            connection.Flush();
        }
        catch (Exception e) when (!connection.IsLost)
        {
            // The savepoint stays, for the next.
            job.Fail(e);
            connection.Forget();
            connection.Execute("ROLLBACK TO job");
        }
    }

    private static void RollBack(CatalogConnection connection)
    {
        try
        {
            connection.Execute("ROLLBACK");
        }
        catch (DbException)
        {
            // The database has already rolled back by itself (disk full, I/O error, connection lost).
        }
    }

    private abstract class Job
    {
        public abstract bool TryCancel();

        public abstract void Run(WriteSession session);

        public abstract void Fail(Exception error);

        public abstract void FailTransaction(Exception error);

        public abstract void Complete();
    }

    private sealed class Job<T>(Func<WriteSession, T> write, CancellationToken ct) : Job
    {
        private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Exception? _error;
        private T _value = default!;

        public Task<T> Result => _result.Task;

        public override bool TryCancel() => ct.IsCancellationRequested && _result.TrySetCanceled(ct);

        public override void Run(WriteSession session) => _value = write(session);

        public override void Fail(Exception error) => _error = error;

        public override void FailTransaction(Exception error) => _result.TrySetException(_error ?? error);

        public override void Complete()
        {
            if (_error is null)
            {
                _result.TrySetResult(_value);
            }
            else
            {
                _result.TrySetException(_error);
            }
        }
    }
}
