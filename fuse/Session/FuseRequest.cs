using System.Diagnostics;
using System.Runtime.InteropServices;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Protocol;

namespace KeepFs.Fuse.Session;

/// <summary>
/// One request of the kernel: who answers it does so exactly once, from any thread. <see cref="Run(ValueTask)"/> is the guard between the tree
/// and the kernel: whatever an operation throws ends there as an errno and a log line, and an operation that forgot to answer is answered EIO.
/// </summary>
/// <param name="session">Where it came from.</param>
/// <param name="device">The descriptor it was read from: only that one takes the answer.</param>
/// <param name="header">Its header.</param>
internal sealed class FuseRequest(FuseSession session, int device, in InHeader header) : IDisposable
{
    private readonly CancellationTokenSource _cancellation = new();
    private readonly ulong _unique = header.Unique;
    private readonly int _callerThreadId = header.ThreadId;
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private byte[]? _kept;
    private int _isAnswered;

    /// <summary>The kernel's number for it, also in interrupts.</summary>
    public ulong Unique => _unique;

    public Opcode Operation { get; } = header.Opcode;

    public ulong NodeId { get; } = header.NodeId;

    /// <summary>It was read before by a process that died, which may have carried it out without answering.</summary>
    public bool IsResent => (_unique & InHeader.ResendBit) != 0;

    public KeepFuse Operations => session.Operations;

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

        if (!work.IsCompleted)
        {
            session.Watch(this);
        }

        _ = FinishAsync(work);
    }

    /// <summary>The same for an operation that uses the buffer it was read into; true when that is free again, else it is given back at the end.</summary>
    public bool Run(ValueTask work, byte[] buffer)
    {
        var isComplete = work.IsCompleted;
        if (!isComplete)
        {
            _kept = buffer;
        }

        Run(work);
        return isComplete;
    }

    public void ReplyError(int errno)
    {
        var isFirst = TryAnswerError(errno);
        ThrowIfSecond(isFirst);
    }

    /// <summary>
    /// Answers with a structure; false when the kernel no longer wants it, and then it does not count a node in it as looked up, nor will
    /// it release a handle in it.
    /// </summary>
    public unsafe bool Reply<T>(in T answer)
        where T : unmanaged
    {
        TakeAnswer();
        var message = new Message<T>
        {
            Header = new OutHeader { Length = (uint)(sizeof(OutHeader) + sizeof(T)), Unique = _unique },
            Body = answer,
        };
        return Sent(LibC.Write(device, (byte*)&message, message.Header.Length));
    }

    /// <summary>Answers with bytes; the kernel has copied them when this returns. False when it no longer wants them.</summary>
    public unsafe bool ReplyBuffer(ReadOnlyMemory<byte> bytes)
    {
        using var pin = bytes.Pin();
        TakeAnswer();
        var header = new OutHeader { Length = (uint)(sizeof(OutHeader) + bytes.Length), Unique = _unique };
        var vectors = stackalloc IoVector[2];
        vectors[0] = new IoVector { Base = &header, Length = (nuint)sizeof(OutHeader) };
        vectors[1] = new IoVector { Base = pin.Pointer, Length = (nuint)bytes.Length };
        return Sent(LibC.WriteVector(device, vectors, bytes.IsEmpty ? 1 : 2));
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
            session.Log($"fuse: {Operation}: cancelling: {exception.Message}");
        }
    }

    /// <summary>Called by the session when the request is finished; an interrupt may still come and finds nothing to cancel.</summary>
    public void Dispose() => _cancellation.Dispose();

    private async Task FinishAsync(ValueTask work)
    {
        try
        {
            await work;
        }
        catch (OperationCanceledException) when (session.LeavesCancelledToNext)
        {
            Interlocked.Exchange(ref _isAnswered, 1);
        }
        catch (Exception exception)
        {
            if (!TryAnswerError(ErrnoMap.From(exception, Operation.ToString(), session.Log)))
            {
                session.Log($"fuse: {Operation}: failed after it was answered: {exception}");
            }
        }
        finally
        {
            Finish();
        }
    }

    private unsafe bool TryAnswerError(int errno)
    {
        if (Interlocked.Exchange(ref _isAnswered, 1) != 0)
        {
            return false;
        }

        var header = new OutHeader { Length = (uint)sizeof(OutHeader), Error = -errno, Unique = _unique };
        Sent(LibC.Write(device, (byte*)&header, (nuint)sizeof(OutHeader)));
        return true;
    }

    private bool Sent(nint result)
    {
        if (result >= 0)
        {
            return true;
        }

        // ENOENT: the caller was killed in the meantime. ENODEV, EPERM: the mount is gone.
        var errno = Marshal.GetLastPInvokeError();
        if (errno is not (Errno.ENOENT or Errno.ENODEV or Errno.EPERM))
        {
            session.Log($"fuse: {Operation}: the kernel did not take the answer: errno {errno}");
        }

        return false;
    }

    private void TakeAnswer() => ThrowIfSecond(Interlocked.Exchange(ref _isAnswered, 1) == 0);

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
        if (_isAnswered == 0 && TryAnswerError(Errno.EIO))
        {
            Debug.Fail($"{Operation} was not answered.");
            session.Log($"fuse: {Operation}: ended without an answer, answered EIO");
        }

        session.Operations.Counters.Count(Operation, _startedAt);
        session.Finished(this, _kept);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Message<T>
        where T : unmanaged
    {
        public OutHeader Header;
        public T Body;
    }
}
