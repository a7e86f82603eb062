using System.Data.Common;
using System.Threading.Channels;

namespace KeepFs.Catalog.Storage;

/// <summary>
/// The one writer. Writes that wait at the same time share a transaction, each in a savepoint of its own, so that they share the cost
/// of reaching stable storage; each is answered only after the commit. Safe for concurrent use.
/// </summary>
internal sealed class CommitQueue : IAsyncDisposable
{
    // Beyond this many waiting writes, callers wait to get into the line.
    private const int MaxWaiting = 1024;

    // Bounds how long the first write of a transaction waits for the others.
    private const int MaxBatch = 64;

    private readonly CatalogStore _store;
    private readonly CatalogConnection _connection;
    private readonly TimeProvider _time;
    private readonly Channel<Job> _jobs = Channel.CreateBounded<Job>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly Thread _thread;
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TaskCompletionSource _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _commits;
    private long _writes;

    public CommitQueue(CatalogStore store, TimeProvider time)
    {
        (_store, _connection, _time) = (store, store.Connect(), time);
        _thread = new Thread(Run) { IsBackground = true, Name = "catalog-writer" };
        _thread.Start();
    }

    public long Commits => Interlocked.Read(ref _commits);

    public long Writes => Interlocked.Read(ref _writes);

    /// <summary>Completes with the next commit. Whoever takes it before he reads does not miss one.</summary>
    public Task Committed => Volatile.Read(ref _committed).Task;

    public async Task<T> EnqueueAsync<T>(Func<WriteSession, T> write, CancellationToken ct)
    {
        var job = new Job<T>(write, ct);
        await _jobs.Writer.WriteAsync(job, ct);
        return await job.Result;
    }

    public async ValueTask DisposeAsync()
    {
        _jobs.Writer.TryComplete();
        await _finished.Task;
        await _connection.DisposeAsync();
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
        try
        {
            _store.BeginWrite(_connection);
            foreach (var job in batch)
            {
                RunInSavepoint(job);
            }

            _connection.Execute("COMMIT");
        }
        catch (Exception e)
        {
            RollBack();
            foreach (var job in batch)
            {
                job.FailTransaction(e);
            }

            return;
        }

        Interlocked.Increment(ref _commits);
        Interlocked.Add(ref _writes, batch.Count);
        Interlocked.Exchange(ref _committed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        foreach (var job in batch)
        {
            job.Complete();
        }
    }

    private void RunInSavepoint(Job job)
    {
        _connection.Execute("SAVEPOINT job");
        try
        {
            job.Run(new WriteSession(_connection, _time.GetUtcNow()));
        }
        catch (Exception e)
        {
            job.Fail(e);
            _connection.Execute("ROLLBACK TO job");
        }

        _connection.Execute("RELEASE job");
    }

    private void RollBack()
    {
        try
        {
            _connection.Execute("ROLLBACK");
        }
        catch (DbException)
        {
            // The database has already rolled back by itself (disk full, I/O error).
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
