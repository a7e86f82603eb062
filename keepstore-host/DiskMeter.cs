using KeepFs.Engine.Volumes;

namespace KeepFs.KeepstoreHost;

/// <summary>The operations that are counted; in lower case they are the names on <c>/metrics</c>. Mkdir, fsync and syncfs are ours.</summary>
internal enum DiskOperation
{
    Open,
    Stat,
    Flock,
    Utimes,
    Create,
    Rename,
    Unlink,
    Readdir,
    Mkdir,
    Fsync,
    Syncfs,
}

/// <summary>What one volume's disk did since the start. Safe for concurrent use.</summary>
internal sealed class DiskMeter : IVolumeMeter
{
    private readonly long[] _operations = new long[Enum.GetValues<DiskOperation>().Length];
    private readonly long[] _errors = new long[Enum.GetValues<DiskError>().Length];
    private long _readBytes;
    private long _writtenBytes;

    public IEnumerable<(string Name, long Count)> Operations => Enum.GetValues<DiskOperation>().Select(operation => (Name(operation), this[operation]));

    public IEnumerable<(string Name, long Count)> Errors => ((DiskError[])[DiskError.Other, DiskError.NoSpace]).Select(error => (Name(error), this[error]));

    public long ReadBytes => Interlocked.Read(ref _readBytes);

    public long WrittenBytes => Interlocked.Read(ref _writtenBytes);

    public long this[DiskOperation operation] => Interlocked.Read(ref _operations[(int)operation]);

    public long this[DiskError error] => Interlocked.Read(ref _errors[(int)error]);

    public T Count<T>(DiskOperation operation, Func<T> work)
    {
        Interlocked.Increment(ref _operations[(int)operation]);
        try
        {
            return work();
        }
        catch (DiskException e)
        {
            CountFailure(e);
            throw;
        }
    }

    public void Count(DiskOperation operation, Action work) => Count(operation, () =>
    {
        work();
        return true;
    });

    public void Add(DiskOperation operation) => Interlocked.Increment(ref _operations[(int)operation]);

    public void CountRead(long bytes) => Interlocked.Add(ref _readBytes, bytes);

    public void CountWritten(long bytes) => Interlocked.Add(ref _writtenBytes, bytes);

    /// <summary>That something is absent, or already there, is an answer and no error.</summary>
    public void CountFailure(DiskException failure)
    {
        if (failure.Error is not (DiskError.NotFound or DiskError.Exists))
        {
            Interlocked.Increment(ref _errors[(int)failure.Error]);
        }
    }

    private static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
