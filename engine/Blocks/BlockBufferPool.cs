using System.Numerics;

namespace KeepFs.Engine.Blocks;

/// <summary>
/// The memory budget of one component: buffers in power-of-two sizes from 4 KiB to 64 MiB, reused. What is rented and what is kept for the
/// next renter never take more memory together than the budget, whatever the mix of sizes. Renters wait in a bounded line, first come first served. A cache that borrows from the pool registers a
/// reclaimer, which is asked to give memory back before anybody waits. Safe for concurrent use.
/// </summary>
public sealed class BlockBufferPool
{
    private const int SmallestShift = 12;
    private const int LargestShift = 26;

    /// <summary>Pages of 2 MiB, where the system has them, for buffers that are at least as large.</summary>
    private const int HugePageShift = 21;

    private readonly Lock _lock = new();

    // By size: places with memory that was used before, and places without.
    private readonly Stack<BlockPlace>[] _free = new Stack<BlockPlace>[LargestShift - SmallestShift + 1];
    private readonly Stack<BlockPlace>[] _empty = new Stack<BlockPlace>[LargestShift - SmallestShift + 1];
    private readonly LinkedList<Waiter> _waiting = new();
    private readonly BlockBufferPoolOptions _options;
    private Func<long, bool>? _reclaim;
    private long _outBytes;
    private long _freeBytes;
    private int _waitingCount;

    /// <summary>Creates a pool; nothing is allocated before it is rented.</summary>
    public BlockBufferPool(BlockBufferPoolOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BudgetBytes, 2L * Locator.MaxBlockSizeBytes, nameof(options));
        _options = options;
        for (var i = 0; i < _free.Length; i++)
        {
            _free[i] = new Stack<BlockPlace>();
            _empty[i] = new Stack<BlockPlace>();
        }
    }

    /// <summary>Bytes that are rented now.</summary>
    public long OutBytes => Interlocked.Read(ref _outBytes);

    /// <summary>The most that may be rented at once.</summary>
    public long BudgetBytes => _options.BudgetBytes;

    /// <summary>A buffer for that many bytes lies ready whose memory was used before.</summary>
    public bool HasUsed(int length)
    {
        lock (_lock)
        {
            return _free[ShiftFor(length) - SmallestShift].Count > 0;
        }
    }

    /// <summary>
    /// Registers who can give memory back: called with the bytes that are missing, outside the pool's lock, returns whether it
    /// released anything. One per pool.
    /// </summary>
    public void SetReclaimer(Func<long, bool> reclaim) => _reclaim = reclaim;

    /// <summary>Rents a buffer with <see cref="BlockBuffer.Length"/> set to <paramref name="length"/>, waiting in line if the budget is spent.</summary>
    /// <exception cref="KeepException"><see cref="KeepErrorKind.Overloaded"/>: the line is full.</exception>
    public async ValueTask<BlockBuffer> RentAsync(int length, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryRent(length) is { } buffer)
            {
                return buffer;
            }

            var waiter = Enqueue(length);
            if (waiter is null)
            {
                continue;
            }

            await using (cancellationToken.Register(() => Cancel(waiter, cancellationToken)))
            {
                return await waiter.Source.Task;
            }
        }
    }

    /// <summary>Rents without waiting (but after reclaiming), or null.</summary>
    public BlockBuffer? TryRent(int length)
    {
        while (true)
        {
            if (TryRentFree(length) is { } buffer)
            {
                return buffer;
            }

            if (_reclaim is null || !_reclaim(1L << ShiftFor(length)))
            {
                return null;
            }
        }
    }

    /// <summary>Rents what nobody has now, or null. Used by read-ahead, which must never take from a reader.</summary>
    public BlockBuffer? TryRentFree(int length)
    {
        var shift = ShiftFor(length);
        lock (_lock)
        {
            return _waiting.Count == 0 && _outBytes + (1L << shift) <= _options.BudgetBytes ? Take(shift, length) : null;
        }
    }

    internal void Return(BlockBuffer buffer)
    {
        List<(Waiter Waiter, BlockBuffer Buffer)>? served = null;
        lock (_lock)
        {
            _outBytes -= buffer.CapacityBytes;
            _free[BitOperations.Log2((uint)buffer.CapacityBytes) - SmallestShift].Push(buffer.Place);
            _freeBytes += buffer.CapacityBytes;
            while (_waiting.First is { } first && _outBytes + (1L << first.Value.Shift) <= _options.BudgetBytes)
            {
                _waiting.RemoveFirst();
                _waitingCount = _waiting.Count;
                (served ??= []).Add((first.Value, Take(first.Value.Shift, first.Value.Length)));
            }
        }

        foreach (var (waiter, rented) in served ?? [])
        {
            if (!waiter.Source.TrySetResult(rented))
            {
                rented.Release();
            }
        }
    }

    /// <summary>Called when a buffer is down to one reference; asks the cache for memory if anybody waits.</summary>
    internal void BecameReclaimable()
    {
        if (Volatile.Read(ref _waitingCount) == 0 || _reclaim is null)
        {
            return;
        }

        long wanted;
        lock (_lock)
        {
            wanted = _waiting.First is { } first ? 1L << first.Value.Shift : 0;
        }

        if (wanted > 0)
        {
            _reclaim(wanted);
        }
    }

    private static int ShiftFor(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Locator.MaxBlockSizeBytes);
        return Math.Max(SmallestShift, BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)Math.Max(length, 1))));
    }

    private Waiter? Enqueue(int length)
    {
        var shift = ShiftFor(length);
        Waiter waiter;
        lock (_lock)
        {
            if (_waiting.Count == 0 && _outBytes + (1L << shift) <= _options.BudgetBytes)
            {
                return null;
            }

            if (_waiting.Count >= _options.MaxWaiting)
            {
                throw new KeepException(
                    KeepErrorKind.Overloaded,
                    $"Memory budget of {_options.BudgetBytes} bytes is spent and {_options.MaxWaiting} requests already wait; try again later.");
            }

            waiter = new Waiter(shift, length);
            _waiting.AddLast(waiter);
            _waitingCount = _waiting.Count;
        }

        // What became reclaimable before the line above was not announced to us.
        _reclaim?.Invoke(1L << shift);
        return waiter;
    }

    private void Cancel(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _waiting.Remove(waiter);
            _waitingCount = _waiting.Count;
        }

        waiter.Source.TrySetCanceled(cancellationToken);
    }

    private BlockBuffer Take(int shift, int length)
    {
        var size = 1 << shift;
        _outBytes += size;
        if (_free[shift - SmallestShift].TryPop(out var place))
        {
            _freeBytes -= size;
        }
        else
        {
            DropFreeUntil(_options.BudgetBytes - _outBytes);
            place = TakeEmpty(shift);
        }

        var buffer = new BlockBuffer(this, place);
        buffer.Rented(length);
        return buffer;
    }

    private BlockPlace TakeEmpty(int shift)
    {
        var places = _empty[shift - SmallestShift];
        if (places.Count == 0)
        {
            var region = new BlockRegion(shift >= HugePageShift);
            for (var offset = BlockRegion.RegionBytes - (1 << shift); offset >= 0; offset -= 1 << shift)
            {
                places.Push(new BlockPlace(region, offset, 1 << shift));
            }
        }

        return places.Pop();
    }

    /// <summary>Free buffers of other sizes count too: rented and kept together never exceed the budget.</summary>
    private void DropFreeUntil(long roomBytes)
    {
        for (var i = _free.Length - 1; i >= 0 && _freeBytes > roomBytes; i--)
        {
            while (_freeBytes > roomBytes && _free[i].TryPop(out var dropped))
            {
                _freeBytes -= dropped.SizeBytes;
                dropped.Release();
                _empty[i].Push(dropped);
            }
        }
    }

    private sealed class Waiter(int shift, int length)
    {
        public int Shift { get; } = shift;

        public int Length { get; } = length;

        public TaskCompletionSource<BlockBuffer> Source { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
