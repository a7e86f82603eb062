using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using KeepFs.Fuse.Interop;

namespace KeepFs.Fuse.Session;

/// <summary>
/// One request of the kernel: who answers it does so exactly once, from any thread. <see cref="Run"/> is the guard between the tree
/// and C: whatever an operation throws ends there as an errno and a log line, and an operation that forgot to answer is answered EIO.
/// </summary>
internal sealed class FuseRequest : IDisposable
{
    private const int MaxNameBytes = 255;

    private readonly CancellationTokenSource _cancellation = new();
    private readonly FuseSession _session;
    private readonly nint _native;
    private readonly Lock _lock = new();
    private bool _isAnswered;
    private int _callerThreadId;

    public FuseRequest(FuseSession session, nint native, ulong id, string operation)
    {
        (_session, _native, Id, Operation) = (session, native, id, operation);
    }

    public ulong Id { get; }

    public string Operation { get; }

    public KeepFuse Operations => _session.Operations;

    /// <summary>Cancelled when the calling program is being killed, and when the session is cut off.</summary>
    public CancellationToken Token => _cancellation.Token;

    /// <summary>Watches an operation that has started: finishes now if it is complete, else when it is.</summary>
    public void Run(ValueTask work)
    {
        if (work.IsCompletedSuccessfully)
        {
            work.GetAwaiter().GetResult();
            Finish();
            return;
        }

        _ = FinishAsync(work);
    }

    /// <summary>Ends a request whose operation could not even start.</summary>
    public void Fail(Exception exception)
    {
        TryAnswerError(ErrnoMap.From(exception, Operation, _session.Log));
        Finish();
    }

    /// <summary>A name from the kernel; null when it was answered with an error and finished because it cannot be a name of ours.</summary>
    public unsafe string? TakeName(byte* name)
    {
        var bytes = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
        if (bytes.Length > MaxNameBytes)
        {
            TryAnswerError(Errno.ENAMETOOLONG);
        }
        else if (!Utf8.IsValid(bytes))
        {
            TryAnswerError(Errno.EILSEQ);
        }
        else
        {
            return Encoding.UTF8.GetString(bytes);
        }

        Finish();
        return null;
    }

    public void ReplyError(int errno)
    {
        var isFirst = TryAnswerError(errno);
        ThrowIfSecond(isFirst);
    }

    /// <summary>Answers with a node; false when the kernel no longer wants it, and then does not count it as looked up.</summary>
    public unsafe bool ReplyEntry(in FuseEntryParam entry)
    {
        lock (_lock)
        {
            TakeAnswer();
            fixed (FuseEntryParam* pointer = &entry)
            {
                return LibFuse.ReplyEntry(_native, pointer) == 0;
            }
        }
    }

    /// <summary>Answers with a new open file; false as for <see cref="ReplyEntry"/>, and then no release will come either.</summary>
    public unsafe bool ReplyCreate(in FuseEntryParam entry, in FuseFileInfo file)
    {
        lock (_lock)
        {
            TakeAnswer();
            fixed (FuseEntryParam* entryPointer = &entry)
            fixed (FuseFileInfo* filePointer = &file)
            {
                return LibFuse.ReplyCreate(_native, entryPointer, filePointer) == 0;
            }
        }
    }

    /// <summary>Answers an open; false when no release will come.</summary>
    public unsafe bool ReplyOpen(in FuseFileInfo file)
    {
        lock (_lock)
        {
            TakeAnswer();
            fixed (FuseFileInfo* pointer = &file)
            {
                return LibFuse.ReplyOpen(_native, pointer) == 0;
            }
        }
    }

    public unsafe void ReplyAttributes(in NativeStat attributes, double timeoutSeconds)
    {
        lock (_lock)
        {
            TakeAnswer();
            fixed (NativeStat* pointer = &attributes)
            {
                _ = LibFuse.ReplyAttributes(_native, pointer, timeoutSeconds);
            }
        }
    }

    /// <summary>Answers with bytes; the kernel has copied them when this returns. False when it no longer wants them.</summary>
    public unsafe bool ReplyBuffer(ReadOnlyMemory<byte> bytes)
    {
        using var pin = bytes.Pin();
        lock (_lock)
        {
            TakeAnswer();
            return LibFuse.ReplyBuffer(_native, (byte*)pin.Pointer, (nuint)bytes.Length) == 0;
        }
    }

    public void ReplyWritten(int count)
    {
        lock (_lock)
        {
            TakeAnswer();
            _ = LibFuse.ReplyWrite(_native, (nuint)count);
        }
    }

    public unsafe void ReplyTotals(in NativeStatVfs totals)
    {
        lock (_lock)
        {
            TakeAnswer();
            fixed (NativeStatVfs* pointer = &totals)
            {
                _ = LibFuse.ReplyStatFs(_native, pointer);
            }
        }
    }

    /// <summary>Appends a directory entry to a reply in the making; the bytes it needs, more than there are if it did not fit.</summary>
    public unsafe int AddEntry(Span<byte> buffer, ReadOnlySpan<byte> nameWithNul, in NativeStat attributes, long nextOffset)
    {
        fixed (byte* bufferPointer = buffer)
        fixed (byte* name = nameWithNul)
        fixed (NativeStat* pointer = &attributes)
        {
            return (int)LibFuse.AddDirectoryEntry(_native, bufferPointer, (nuint)buffer.Length, name, pointer, nextOffset);
        }
    }

    /// <summary>As <see cref="AddEntry"/>, with attributes that the kernel may keep.</summary>
    public unsafe int AddEntryPlus(Span<byte> buffer, ReadOnlySpan<byte> nameWithNul, in FuseEntryParam entry, long nextOffset)
    {
        fixed (byte* bufferPointer = buffer)
        fixed (byte* name = nameWithNul)
        fixed (FuseEntryParam* pointer = &entry)
        {
            return (int)LibFuse.AddDirectoryEntryPlus(_native, bufferPointer, (nuint)buffer.Length, name, pointer, nextOffset);
        }
    }

    /// <summary>
    /// The kernel says that the caller got a signal. Only a caller that is being killed is let go: EINTR from a regular file after a
    /// timer or SIGCHLD breaks programs that never expect it, and a handled signal can wait for the answer.
    /// </summary>
    public void Interrupt()
    {
        if (CallerSignals.IsBeingKilled(_callerThreadId))
        {
            Cancel();
        }
    }

    public void Cancel()
    {
        try
        {
            _cancellation.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Finished in the meantime.
        }
        catch (AggregateException exception)
        {
            _session.Log($"fuse: {Operation}: cancelling: {exception.Message}");
        }
    }

    /// <summary>Called by the session when the request is finished; an interrupt may still come and finds nothing to cancel.</summary>
    public void Dispose() => _cancellation.Dispose();

    private async Task FinishAsync(ValueTask work)
    {
        WatchForInterrupt();
        try
        {
            await work;
        }
        catch (Exception exception)
        {
            if (!TryAnswerError(ErrnoMap.From(exception, Operation, _session.Log)))
            {
                _session.Log($"fuse: {Operation}: failed after it was answered: {exception}");
            }
        }
        finally
        {
            Finish();
        }
    }

    private unsafe void WatchForInterrupt()
    {
        lock (_lock)
        {
            // Once answered, the native request is gone.
            if (_isAnswered)
            {
                return;
            }

            _callerThreadId = LibFuse.RequestContext(_native)->ProcessId;
            _session.Watch(this);
            LibFuse.RequestInterruptFunction(_native, &FuseCallbacks.Interrupted, (nint)Id);
        }
    }

    private bool TryAnswerError(int errno)
    {
        lock (_lock)
        {
            if (_isAnswered)
            {
                return false;
            }

            _isAnswered = true;
            _ = LibFuse.ReplyError(_native, errno);
            return true;
        }
    }

    private void TakeAnswer()
    {
        ThrowIfSecond(!_isAnswered);
        _isAnswered = true;
    }

    private void ThrowIfSecond(bool isFirst)
    {
        Debug.Assert(isFirst, $"{Operation} was answered twice.");
        if (!isFirst)
        {
            throw new InvalidOperationException($"{Operation} was answered twice.");
        }
    }

    private void Finish()
    {
        if (TryAnswerError(Errno.EIO))
        {
            Debug.Fail($"{Operation} was not answered.");
            _session.Log($"fuse: {Operation}: ended without an answer, answered EIO");
        }

        _session.Finished(this);
    }
}
