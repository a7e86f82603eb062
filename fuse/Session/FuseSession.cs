using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Mounting;
using KeepFs.Fuse.Protocol;

namespace KeepFs.Fuse.Session;

/// <summary>
/// The connection to the kernel from the handshake to its end: the threads that read requests, and the requests under way. An operation
/// runs on the thread that read its request until it first waits for something. The devices are closed only after the last request was
/// answered, because answers go through them.
/// </summary>
internal sealed class FuseSession : IDisposable
{
    private readonly ConcurrentDictionary<ulong, FuseRequest> _watched = new();
    private readonly ConcurrentQueue<ulong> _earlyInterrupts = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _loopEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FuseMountOptions _options;
    private readonly Action<string> _log;
    private readonly List<FuseDevice> _devices = [];
    private readonly List<RequestLoop> _loops = [];
    private FuseMountException? _failure;
    private int _running;

    // Requests under way plus one for the threads, so that zero is reached once.
    private long _underWay = 1;

    public FuseSession(KeepFuse operations, FuseMountOptions options, Action<string> log)
    {
        (Operations, _options, _log) = (operations, options, log);
        Buffers = new RequestBuffers(Math.Max(1, options.MaxPendingWriteBytes / Negotiation.MaxTransferBytes));
    }

    public KeepFuse Operations { get; }

    public RequestBuffers Buffers { get; }

    /// <summary>Ends when the kernel ended the connection or <see cref="StopAsync"/> took effect.</summary>
    public Task LoopEnded => _loopEnded.Task;

    /// <summary>Ends when the threads ended and every request has been answered.</summary>
    public Task Drained => _drained.Task;

    public bool IsStopping => _stopping.IsCancellationRequested;

    public CancellationToken Stopping => _stopping.Token;

    /// <summary>A request that is cancelled is not answered, because another process will be handed it.</summary>
    public bool LeavesCancelledToNext { get; set; }

    /// <summary>Where notifications and device calls go.</summary>
    public int Device => _devices[0].Descriptor;

    /// <summary>Takes the devices of a mount whose handshake is done, which it then closes, and answers its requests.</summary>
    public void Start(IReadOnlyList<FuseDevice> devices, bool readsOnlyClones)
    {
        _devices.AddRange(devices);
        ThreadInterrupt.Prepare();
        var unread = readsOnlyClones ? devices.Count : 0;
        while (_devices.Count < _options.MaxThreads + unread && _devices[0].TryClone() is { } clone)
        {
            _devices.Add(clone);
        }

        var read = _devices.Count > unread ? _devices.Skip(unread).ToList() : _devices;
        for (var i = 0; i < _options.MaxThreads; i++)
        {
            // Devices that could not be had are shared; the kernel allows that.
            _loops.Add(new RequestLoop(this, read[i % read.Count].Descriptor));
        }

        _running = _loops.Count;
        _loops.ForEach(loop => loop.Start());
    }

    public FuseRequest Begin(int device, in InHeader header)
    {
        Interlocked.Increment(ref _underWay);
        return new FuseRequest(this, device, header);
    }

    /// <summary>Lets the request be found by an interrupt and by <see cref="CancelAll"/> until it is finished.</summary>
    public void Watch(FuseRequest request)
    {
        _watched[request.Unique] = request;

        // Another thread may have read the interrupt first.
        if (!_earlyInterrupts.IsEmpty && _earlyInterrupts.Contains(request.Unique))
        {
            request.Interrupt();
        }
    }

    public void Finished(FuseRequest request, byte[]? kept)
    {
        _watched.TryRemove(request.Unique, out _);
        request.Dispose();
        if (kept is not null)
        {
            Buffers.ReturnKept(kept);
        }

        LeaveOne();
    }

    /// <summary>Needs no answer.</summary>
    public void Interrupted(ulong unique)
    {
        const int MaxEarly = 64;
        if (!_watched.ContainsKey(unique))
        {
            // Not waiting yet, or answered already, and then this number never comes again.
            _earlyInterrupts.Enqueue(unique);
            while (_earlyInterrupts.Count > MaxEarly)
            {
                _earlyInterrupts.TryDequeue(out _);
            }
        }

        if (_watched.TryGetValue(unique, out var request))
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

    /// <summary>Ends the threads. What the kernel asks from then on waits, until the devices are closed or another process reads them.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        while (!_loopEnded.Task.IsCompleted)
        {
            _loops.ForEach(loop => loop.Interrupt());
            await Task.WhenAny(_loopEnded.Task, Task.Delay(TimeSpan.FromMilliseconds(5)));
        }
    }

    /// <summary>Closes the devices. Only after <see cref="Drained"/>.</summary>
    public void Dispose()
    {
        Debug.Assert(Interlocked.Read(ref _underWay) is 0 or 1, "Requests are under way.");
        _devices.ForEach(device => device.Dispose());
        Buffers.Dispose();
        _stopping.Dispose();
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

    /// <summary>Called by each thread at its end; the errno that ended it, 0 when it was unmounted or stopped.</summary>
    public void LoopLeft(int errno)
    {
        if (errno != 0)
        {
            _failure = new FuseMountException($"The connection to the kernel broke: {Marshal.GetPInvokeErrorMessage(errno)}.");
        }

        if (Interlocked.Decrement(ref _running) > 0)
        {
            return;
        }

        if (_failure is null)
        {
            _loopEnded.SetResult();
        }
        else
        {
            _loopEnded.SetException(_failure);
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
}
