using System.Buffers;
using System.Threading.Tasks.Sources;

namespace KeepFs.Engine.Blocks.Hashing;

/// <summary>
/// The MD5 of one block whose bytes arrive in order in one piece of memory. Bytes that <see cref="Advance"/> has announced must not change
/// before <see cref="FinishAsync"/> is complete or <see cref="DisposeAsync"/> is; after either, the memory is not touched any more.
/// One user at a time. Dispose it always: a block that was given up half-way would otherwise stay pinned.
/// </summary>
public sealed class HashJob : IAsyncDisposable, IValueTaskSource<BlockHash>
{
    private readonly ReadOnlyMemory<byte> _room;
    private readonly HashService? _service;
    private ManualResetValueTaskSourceCore<BlockHash> _result = new() { RunContinuationsAsynchronously = true };
    private MemoryHandle _pin;
    private int _available;
    private int _announced;
    private int _hashed;
    private Md5State _state = Md5State.Initial;
    private BlockHash? _digest;
    private bool _isFinishing;

    /// <summary>A job without bytes yet.</summary>
    /// <param name="room">Where they will arrive; may be larger than the block.</param>
    /// <param name="service">Hashes together with other jobs. Null: the caller's thread hashes in <see cref="Advance"/>.</param>
    public HashJob(ReadOnlyMemory<byte> room, HashService? service) => (_room, _service) = (room, service);

    /// <summary>The hash of bytes that are all there.</summary>
    public static async ValueTask<BlockHash> ComputeAsync(ReadOnlyMemory<byte> data, HashService? service)
    {
        await using var job = new HashJob(data, service);
        job.Advance(data.Length);
        return await job.FinishAsync();
    }

    /// <summary>Announced bytes that are not hashed yet. Exact under the service's lock, if the job is not running.</summary>
    internal int Backlog => Volatile.Read(ref _available) - _hashed;

    internal bool HasWholeBlock => Backlog >= Md5State.BlockBytes;

    // The next five belong to the service, under its lock.
    internal bool IsListed { get; set; }

    /// <summary>A thread of the service is hashing it: only that may use the hash state and the memory.</summary>
    internal bool IsRunning { get; set; }

    /// <summary>No more bytes will come, somebody waits for the result.</summary>
    internal bool IsComplete { get; set; }

    /// <summary>Set by a caller who gave up while the job was running and waits for the end of the round.</summary>
    internal TaskCompletionSource? Abandoned { get; set; }

    internal unsafe nint NextAddress => (nint)_pin.Pointer + _hashed;

    internal ref Md5State State => ref _state;

    /// <summary>The first <paramref name="availableBytes"/> of the memory are there now. Cheap; call it for every piece.</summary>
    public void Advance(int availableBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(availableBytes, _available);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(availableBytes, _room.Length);
        ThrowIfFinishing();
        Volatile.Write(ref _available, availableBytes);
        if (_service is null)
        {
            HashHere();
        }
        else if (availableBytes - _announced > (_announced == 0 ? _service.Options.InlineBytes : _service.Options.ReadyBytes))
        {
            _announced = availableBytes;
            _service.Announce(this);
        }
    }

    /// <summary>The hash of all announced bytes: nothing more will come. Call it once.</summary>
    /// <exception cref="OperationCanceledException">The job was disposed before it was complete.</exception>
    public ValueTask<BlockHash> FinishAsync()
    {
        ThrowIfFinishing();
        _isFinishing = true;
        if (_service is not null && _announced > 0 && !_service.TakeBack(this))
        {
            return new ValueTask<BlockHash>(this, _result.Version);
        }

        HashHere();
        return ValueTask.FromResult(Digest());
    }

    /// <summary>Gives the job up if it is not finished; complete when the memory is not used any more, which takes one round at most.</summary>
    public ValueTask DisposeAsync()
    {
        _isFinishing = true;
        return _service is not null && _announced > 0 ? _service.AbandonAsync(this) : default;
    }

    internal void Pin() => _pin = _room.Pin();

    internal void Unpin() => _pin.Dispose();

    internal void Hashed(int blocks) => _hashed += blocks * Md5State.BlockBytes;

    /// <summary>Reads what is left in the memory after the last whole block.</summary>
    internal void KeepDigest() => _digest = Abandoned is null ? Digest() : null;

    /// <summary>Tells whoever waits, after the service has let go of the job.</summary>
    internal void End()
    {
        if (_digest is { } digest)
        {
            _result.SetResult(digest);
        }
        else if (IsComplete)
        {
            _result.SetException(new OperationCanceledException("The hash job was disposed before it was complete."));
        }

        Abandoned?.SetResult();
    }

    BlockHash IValueTaskSource<BlockHash>.GetResult(short token) => _result.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<BlockHash>.GetStatus(short token) => _result.GetStatus(token);

    void IValueTaskSource<BlockHash>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _result.OnCompleted(continuation, state, token, flags);

    /// <summary>Hashes all whole blocks that are there, on the caller's thread.</summary>
    private void HashHere()
    {
        var blocks = (_available - _hashed) / Md5State.BlockBytes;
        _state.Append(_room.Span.Slice(_hashed, blocks * Md5State.BlockBytes));
        Hashed(blocks);
    }

    private BlockHash Digest() => _state.Finish(_room.Span[_hashed.._available], _available);

    private void ThrowIfFinishing()
    {
        if (_isFinishing)
        {
            throw new InvalidOperationException("This hash job was finished or disposed already.");
        }
    }
}
