using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using KeepFs.Fuse.Interop;

namespace KeepFs.Fuse.Session;

/// <summary>
/// One libfuse session from mounting to destruction: the threads that read requests, the requests under way, what was agreed with the
/// kernel. The native session is destroyed only after the last request was answered, because answers go through it.
/// </summary>
internal sealed unsafe class FuseSession
{
    private const uint MaxRequestBytes = 1 << 20;

    private readonly ConcurrentDictionary<ulong, FuseRequest> _watched = new();
    private readonly TaskCompletionSource _loopEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FuseMountOptions _options;
    private readonly Action<string> _log;
    private GCHandle _self;
    private nint _native;
    private ulong _lastId;

    // Requests under way plus one for the loop itself, so that zero is reached once.
    private long _underWay = 1;

    public FuseSession(KeepFuse operations, FuseMountOptions options, Action<string> log)
    {
        (Operations, _options, _log) = (operations, options, log);
        _self = GCHandle.Alloc(this);
    }

    public KeepFuse Operations { get; }

    /// <summary>Ends when the kernel ended the connection or <see cref="Stop"/> took effect.</summary>
    public Task LoopEnded => _loopEnded.Task;

    /// <summary>Ends when the loop ended and every request has been answered.</summary>
    public Task Drained => _drained.Task;

    public nint Native => _native;

    public static FuseSession FromUserData(nint userData) => (FuseSession)GCHandle.FromIntPtr(userData).Target!;

    /// <summary>Mounts; requests wait in the kernel until <see cref="StartLoop"/>.</summary>
    /// <exception cref="FuseMountException">libfuse refused.</exception>
    public void Mount(string mountPoint)
    {
        string[] words = ["keepfs", "-o", MountWords()];
        var pointers = stackalloc byte*[words.Length + 1];
        for (var i = 0; i < words.Length; i++)
        {
            pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(words[i]);
        }

        try
        {
            var arguments = new FuseArgs { Count = words.Length, Values = pointers };
            var table = FuseCallbacks.Table();
            _native = LibFuse.SessionNew(&arguments, &table, (nuint)sizeof(FuseLowLevelOps), GCHandle.ToIntPtr(_self));
        }
        finally
        {
            for (var i = 0; i < words.Length; i++)
            {
                Marshal.FreeCoTaskMem((nint)pointers[i]);
            }
        }

        if (_native == 0)
        {
            throw new FuseMountException($"libfuse does not accept the mount options \"{MountWords()}\"; its own message is on standard error.");
        }

        if (LibFuse.SessionMount(_native, mountPoint) != 0)
        {
            throw new FuseMountException(
                $"Mounting at {mountPoint} failed; the message of libfuse or fusermount3 is on standard error. " +
                "In a container, /dev/fuse and the capability SYS_ADMIN (or a setuid fusermount3) are needed.");
        }
    }

    public void StartLoop() => new Thread(Loop) { IsBackground = true, Name = "fuse loop" }.Start();

    /// <summary>Called by the kernel's INIT: agrees on sizes and capabilities (limits measured: limits.md, FUSE).</summary>
    public void Negotiate(FuseConnInfo* connection)
    {
        connection->MaxWrite = MaxRequestBytes;
        connection->MaxRead = MaxRequestBytes;
        connection->MaxBackground = (uint)_options.MaxBackgroundRequests;
        connection->CongestionThreshold = (uint)(_options.MaxBackgroundRequests * 3 / 4);

        // No splice: answers come from memory. No write-back cache: close, fsync and O_APPEND then mean what they say.
        const uint Wanted = FuseConnInfo.AsyncRead | FuseConnInfo.AsyncDirectIo | FuseConnInfo.AtomicTruncate
            | FuseConnInfo.ReaddirPlus | FuseConnInfo.ParallelDirectoryOperations | FuseConnInfo.ExplicitInvalidateData;
        const uint Unwanted = FuseConnInfo.SpliceRead | FuseConnInfo.SpliceWrite | FuseConnInfo.SpliceMove | FuseConnInfo.WritebackCache
            | FuseConnInfo.ReaddirPlusAuto;
        var want = (connection->Want | (Wanted & connection->Capable)) & ~Unwanted;
        if ((want & FuseConnInfo.ExplicitInvalidateData) != 0)
        {
            // Changes are announced; a time stamp that differs after our own write is no reason to drop the pages.
            want &= ~FuseConnInfo.AutoInvalidateData;
        }

        connection->Want = want;
    }

    public FuseRequest Begin(nint native, string operation)
    {
        Interlocked.Increment(ref _underWay);
        return new FuseRequest(this, native, Interlocked.Increment(ref _lastId), operation);
    }

    /// <summary>Lets the request be found by an interrupt and by <see cref="CancelAll"/> until it is finished.</summary>
    public void Watch(FuseRequest request) => _watched[request.Id] = request;

    public void Finished(FuseRequest request)
    {
        _watched.TryRemove(request.Id, out _);
        request.Dispose();
        LeaveOne();
    }

    /// <summary>Called under a lock of libfuse, so the work is done elsewhere.</summary>
    public void Interrupted(ulong id)
    {
        if (_watched.TryGetValue(id, out var request))
        {
            ThreadPool.UnsafeQueueUserWorkItem(static request => request.Interrupt(), request, preferLocal: false);
        }
    }

    public void CancelAll()
    {
        foreach (var request in _watched.Values)
        {
            request.Cancel();
        }
    }

    /// <summary>Asks the threads to end after the next request that they see.</summary>
    public void Stop() => LibFuse.SessionExit(_native);

    /// <summary>Frees the native session, which closes the connection. Only after <see cref="Drained"/>.</summary>
    public void Destroy()
    {
        Debug.Assert(_native == 0 || Interlocked.Read(ref _underWay) is 0 or 1, "Requests are under way.");
        if (_native != 0)
        {
            LibFuse.SessionDestroy(_native);
            _native = 0;
        }

        if (_self.IsAllocated)
        {
            _self.Free();
        }
    }

    /// <summary>A log that throws must not take the kernel's request with it.</summary>
    public void Log(string message)
    {
        try
        {
            _log(message);
        }
        catch (Exception exception)
        {
            Debug.Fail($"The log threw {exception.Message}");
        }
    }

    private void Loop()
    {
        var configuration = LibFuse.LoopConfigurationCreate();
        LibFuse.LoopConfigurationSetMaxThreads(configuration, (uint)_options.MaxThreads);
        LibFuse.LoopConfigurationSetCloneFd(configuration, 1);
        var result = LibFuse.SessionLoop(_native, configuration);
        LibFuse.LoopConfigurationDestroy(configuration);
        if (result < 0)
        {
            _loopEnded.SetException(new FuseMountException($"The connection to the kernel broke with errno {-result}."));
        }
        else
        {
            _loopEnded.SetResult();
        }

        LeaveOne();
    }

    private void LeaveOne()
    {
        if (Interlocked.Decrement(ref _underWay) == 0)
        {
            _drained.TrySetResult();
        }
    }

    private string MountWords()
    {
        var words = new StringBuilder("nosuid,nodev,max_read=").Append(MaxRequestBytes)
            .Append(",fsname=").Append(Escape(_options.FsName))
            .Append(",subtype=").Append(Escape(_options.Subtype));
        if (_options.IsReadOnly)
        {
            words.Append(",ro");
        }

        if (_options.AllowOther)
        {
            words.Append(",allow_other");
        }

        return words.ToString();
    }

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal);
}
