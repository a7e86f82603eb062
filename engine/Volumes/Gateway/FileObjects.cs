using System.Buffers;
using System.Globalization;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>
/// A directory of this machine as a store of objects; a key is a path relative to its root. A path never leads out of the root, neither
/// by <c>..</c> nor by a symbolic link. Calls to the disk block, on threads of their own.
/// </summary>
public sealed class FileObjects : IObjectSource
{
    /// <summary>Large enough that a thread's wake-up does not matter, small enough that a reader who gives up waits for little.</summary>
    private const int PieceBytes = 1 << 20;

    /// <summary>Reads at the disk at once: as for a directory volume.</summary>
    private const int Threads = 16;
    private const int MaxWaiting = 1024;

    /// <summary>
    /// A file that changed so recently could change again without another time stamp (kernels stamp with ticks of some milliseconds, some
    /// file systems with seconds): its version is not believed later.
    /// </summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    private readonly DirectoryHandle _root;
    private readonly DiskThreads _threads;
    private readonly TimeProvider _time;

    /// <summary>Opens the directory.</summary>
    /// <exception cref="KeepException">It is not the absolute path of an existing directory.</exception>
    public FileObjects(string root, TimeProvider time)
    {
        if (!Path.IsPathRooted(root) || !System.IO.Directory.Exists(root))
        {
            throw new KeepException(KeepErrorKind.BadRequest, $"Root '{root}' must be the absolute path of an existing directory.");
        }

        _time = time;
        _root = DirectoryHandle.Open(root);
        _threads = new DiskThreads(root, Threads, MaxWaiting);
        DeviceId = "file://" + DirectoryDeviceId.Find(root);
    }

    /// <inheritdoc/>
    public string DeviceId { get; }

    /// <inheritdoc/>
    public ValueTask<IObjectReader?> OpenAsync(ObjectKey key, long offset, long length, CancellationToken cancellationToken) =>
        RunAsync<IObjectReader?>(
            () =>
            {
                if (_root.OpenBelow(key) is not { } file)
                {
                    return null;
                }

                if (!file.Status.IsRegularFile || offset > file.Status.SizeBytes - length)
                {
                    file.Dispose();
                    return null;
                }

                return new Reader(this, key, file, offset, length);
            },
            cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ObjectInfo?> StatAsync(ObjectKey key, CancellationToken cancellationToken) => RunAsync(
        () =>
        {
            using var file = _root.OpenBelow(key);
            return file is { Status.IsRegularFile: true } ? Describe(key, file.Status) : null;
        },
        cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _threads.DisposeAsync();
        _root.Dispose();
    }

    private ObjectInfo Describe(ObjectKey key, FileStatus status)
    {
        var newest = DateTimeOffset.FromUnixTimeSeconds(Math.Max(status.MtimeNanoseconds, status.CtimeNanoseconds) / FileStatus.NanosecondsPerSecond);
        var doubt = _time.GetUtcNow() - newest < Settled ? "?" : "";
        var tag = string.Create(CultureInfo.InvariantCulture, $"{status.Inode:x}-{status.MtimeNanoseconds:x}-{status.CtimeNanoseconds:x}{doubt}");
        return new ObjectInfo(key, status.SizeBytes, tag, status.MtimeNanoseconds / FileStatus.NanosecondsPerSecond);
    }

    private async ValueTask<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        try
        {
            // Work that has started is abandoned, not waited for: on a lost network disk it would never end. It uses no memory of the caller's.
            return await _threads.RunAsync(work, cancellationToken).AsTask().WaitAsync(cancellationToken);
        }
        catch (Exception e) when (e is DiskException or KeepException)
        {
            throw new ObjectUnavailableException(e.Message, e);
        }
    }

    private sealed class Reader(FileObjects source, ObjectKey key, OpenedFile file, long offset, long length) : IObjectReader
    {
        private readonly byte[] _piece = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(length, 1), PieceBytes));
        private long _at = offset;
        private long _left = length;
        private bool _isAbandoned;

        public ObjectInfo Info { get; } = source.Describe(key, file.Status);

        public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            var wanted = (int)Math.Min(Math.Min(destination.Length, _left), PieceBytes);
            if (wanted == 0)
            {
                return 0;
            }

            int count;
            try
            {
                count = await source.RunAsync(() => file.Read(_piece.AsSpan(0, wanted), _at), cancellationToken);
            }
            catch (OperationCanceledException)
            {
                _isAbandoned = true;
                throw;
            }

            _piece.AsSpan(0, count).CopyTo(destination.Span);
            _at += count;
            _left -= count;
            return count;
        }

        public ValueTask DisposeAsync()
        {
            if (!_isAbandoned)
            {
                ArrayPool<byte>.Shared.Return(_piece);
                file.Dispose();
            }

            // Otherwise a thread may still be in the call: the collector closes the file after it.
            return default;
        }
    }
}
