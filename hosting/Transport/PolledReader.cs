using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace KeepFs.Hosting.Transport;

/// <summary>
/// Receives when it is read from, so nothing piles up that nobody has asked for: requests into one small buffer that is kept, bodies of
/// blocks straight to where they belong (<see cref="IBlockTransfer"/>). One reader at a time.
/// </summary>
internal sealed class PolledReader(PolledSocket socket) : PipeReader
{
    /// <summary>A request with its headers fits; Kestrel's own limits (about 40 KiB) bound what it can grow to.</summary>
    private const int FirstBytes = 4 << 10;

    /// <summary>Small enough that the hash of a block keeps pace with its arrival, large enough to make system calls rare.</summary>
    private const int PieceBytes = 1 << 20;

    private byte[] _head = new byte[FirstBytes];
    private int _headStart;
    private int _headEnd;
    private Memory<byte> _block;
    private int _blockBase;
    private int _blockStart;
    private int _blockEnd;
    private bool _isInBlock;
    private bool _isExamined = true;
    private bool _isAtEnd;
    private volatile bool _isCancelled;

    /// <summary>See <see cref="IBlockTransfer.ReceiveInto"/>.</summary>
    public void ReceiveInto(Memory<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfZero(destination.Length, nameof(destination));
        (_block, _blockStart, _blockEnd, _isInBlock) = (destination, 0, 0, true);

        // Positions in a sequence of one piece count from the start of what the piece was cut from.
        _blockBase = new ReadOnlySequence<byte>(destination).Start.GetInteger();

        // What came together with the headers.
        var came = Math.Min(_headEnd - _headStart, destination.Length);
        _head.AsSpan(_headStart, came).CopyTo(destination.Span);
        _headStart += came;
        _blockEnd = came;
        _isExamined = came == 0;
    }

    /// <summary>See <see cref="IBlockTransfer.StopReceiving"/>.</summary>
    public void StopReceiving()
    {
        if (_isInBlock)
        {
            // Bytes that nobody has read leave with the memory; what follows would be taken for something else.
            _isAtEnd |= _blockStart < _blockEnd;
            EndBlock();
        }
    }

    public override bool TryRead(out ReadResult result)
    {
        if (_isCancelled)
        {
            _isCancelled = false;
            result = Result(isCanceled: true);
            return true;
        }

        if ((!_isExamined && Available > 0) || _isAtEnd)
        {
            result = Result(isCanceled: false);
            return true;
        }

        result = default;
        return false;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        TryRead(out var result) || TryReceive(out result) ? ValueTask.FromResult(result) : WaitAsync(cancellationToken);

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_isInBlock)
        {
            _blockStart = consumed.GetInteger() - _blockBase;
            _isExamined = examined.GetInteger() - _blockBase == _blockEnd;
            if (_blockStart == _block.Length)
            {
                EndBlock();
            }

            return;
        }

        _headStart = consumed.GetInteger();
        _isExamined = examined.GetInteger() == _headEnd;
        if (_headStart == _headEnd)
        {
            _headStart = _headEnd = 0;
        }
    }

    public override void CancelPendingRead()
    {
        _isCancelled = true;
        socket.CanReceive.Set();
    }

    public override void Complete(Exception? exception = null)
    {
    }

    private int Available => _isInBlock ? _blockEnd - _blockStart : _headEnd - _headStart;

    private void EndBlock()
    {
        _isInBlock = false;
        _block = default;
        _isExamined = _headStart == _headEnd;
    }

    private ReadResult Result(bool isCanceled) => new(
        _isInBlock ? new ReadOnlySequence<byte>(_block[_blockStart.._blockEnd])
            : new ReadOnlySequence<byte>(_head, _headStart, _headEnd - _headStart),
        isCanceled,
        _isAtEnd);

    private bool TryReceive(out ReadResult result)
    {
        if (socket.Receive(Room()) is not { } count)
        {
            result = default;
            return false;
        }

        _isAtEnd = count == 0;
        _isExamined = false;
        if (_isInBlock)
        {
            _blockEnd += count;
        }
        else
        {
            _headEnd += count;
        }

        result = Result(isCanceled: false);
        return true;
    }

    private Span<byte> Room()
    {
        if (_isInBlock)
        {
            return _block.Span.Slice(_blockEnd, Math.Min(PieceBytes, _block.Length - _blockEnd));
        }

        if (_headStart > 0 && _headEnd == _head.Length)
        {
            _head.AsSpan(_headStart.._headEnd).CopyTo(_head);
            (_headStart, _headEnd) = (0, _headEnd - _headStart);
        }

        if (_headEnd == _head.Length)
        {
            Array.Resize(ref _head, _head.Length * 2);
        }

        return _head.AsSpan(_headEnd);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitAsync(CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(static signal => ((SocketSignal)signal!).Set(), socket.CanReceive);
        while (true)
        {
            await socket.WaitToReceiveAsync();
            cancellationToken.ThrowIfCancellationRequested();
            if (TryRead(out var result) || TryReceive(out result))
            {
                return result;
            }
        }
    }
}
