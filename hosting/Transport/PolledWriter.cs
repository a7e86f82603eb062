using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using KeepFs.Engine.Volumes;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Hosting.Transport;

/// <summary>
/// Gathers what is written and sends it when flushed: small parts from one buffer that is kept, a block from where it is
/// (<see cref="IBlockTransfer"/>), both in one system call. One writer at a time; a flush is complete when the kernel has all of it.
/// </summary>
internal sealed class PolledWriter(PolledSocket socket) : PipeWriter
{
    private const int FirstBytes = 4 << 10;

    /// <summary>What an index or a listing writes between two flushes is kept for the next part; more than that is given back.</summary>
    private const int KeptBytes = 128 << 10;

    private byte[] _buffer = new byte[FirstBytes];
    private int _count;
    private ReadOnlyMemory<byte> _block;
    private int _blockCount;
    private BlockFile? _file;
    private bool _isBlockOut;
    private bool _isOver;
    private volatile bool _isCancelled;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _count + _blockCount;

    /// <summary>See <see cref="IBlockTransfer.SendFrom(ReadOnlyMemory{byte})"/>.</summary>
    public void SendFrom(ReadOnlyMemory<byte> source)
    {
        if (_blockCount > 0)
        {
            throw new InvalidOperationException("The block before has not been flushed.");
        }

        _block = source;
    }

    /// <summary>See <see cref="IBlockTransfer.SendFrom(BlockFile)"/>.</summary>
    public void SendFrom(BlockFile source)
    {
        SendFrom(CountedMemory.Of((int)source.SizeBytes));
        _file = source;
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (!_block.IsEmpty && _blockCount == 0)
        {
            _isBlockOut = true;

            // Whoever asked for this block's memory does not write to it, or the block would be wrong for everybody.
            return MemoryMarshal.AsMemory(_block);
        }

        Reserve(Math.Max(1, sizeHint));
        return _buffer.AsMemory(_count);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        if (_isBlockOut)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _block.Length);
            _isBlockOut = false;
            _blockCount = bytes;
            return;
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _buffer.Length - _count);
        _count += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_file is not null && _blockCount > 0)
        {
            return SendFileAsync(_file, cancellationToken);
        }

        var (head, block) = (0, 0);
        return TrySend(ref head, ref block) ? ValueTask.FromResult(End()) : WaitAsync(head, block, cancellationToken);
    }

    public override void CancelPendingFlush()
    {
        _isCancelled = true;
        socket.CanSend.Set();
    }

    public override void Complete(Exception? exception = null)
    {
    }

    private void Reserve(int bytes)
    {
        if (_blockCount > 0)
        {
            throw new InvalidOperationException("Nothing can follow a block before it is flushed.");
        }

        if (_buffer.Length - _count < bytes)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, checked(_count + bytes)));
        }
    }

    /// <summary>Sends until all is sent, the connection is over or there is no room (false).</summary>
    private bool TrySend(ref int head, ref int block)
    {
        while (!_isOver && head + block < _count + _blockCount)
        {
            if (socket.Send(_buffer.AsSpan(head, _count - head), _block.Span[block.._blockCount]) is not { } sent)
            {
                return false;
            }

            if (sent < 0)
            {
                _isOver = true;
                break;
            }

            var fromHead = Math.Min(sent, _count - head);
            head += fromHead;
            block += sent - fromHead;
        }

        return true;
    }

    private FlushResult End()
    {
        _count = _blockCount = 0;
        _block = default;
        _file = null;
        if (_buffer.Length > KeptBytes)
        {
            _buffer = new byte[FirstBytes];
        }

        var isCancelled = _isCancelled;
        _isCancelled = false;
        return new FlushResult(isCancelled, _isOver);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> WaitAsync(int head, int block, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(static signal => ((SocketSignal)signal!).Set(), socket.CanSend);
        while (!TrySend(ref head, ref block) && await HasRoomAsync(cancellationToken))
        {
        }

        return End();
    }

    /// <summary>First what stands before the file, then the file, piece by piece on the threads of its disk.</summary>
    private async ValueTask<FlushResult> SendFileAsync(BlockFile file, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(static signal => ((SocketSignal)signal!).Set(), socket.CanSend);
        var (head, none, bytes) = (0, 0, _blockCount);
        _blockCount = 0;
        while (!TrySend(ref head, ref none) && await HasRoomAsync(cancellationToken))
        {
        }

        Func<SafeFileHandle, long, int, int?> send = socket.SendFile;
        for (long at = 0; at < bytes && !_isOver;)
        {
            switch (await file.MoveAsync(at, (int)(bytes - at), send, CancellationToken.None))
            {
                case null:
                    await HasRoomAsync(cancellationToken);
                    break;
                case < 0:
                    // The client is gone, or the bytes are: it must not take what follows for them.
                    socket.Abort();
                    _isOver = true;
                    break;
                case { } sent:
                    at += sent;
                    break;
            }
        }

        return End();
    }

    /// <summary>Waits until there is room to send; false when nobody wants that any more.</summary>
    private async ValueTask<bool> HasRoomAsync(CancellationToken cancellationToken)
    {
        socket.WaitsToSend = true;
        await socket.CanSend.WaitAsync();
        socket.WaitsToSend = false;
        if (!_isCancelled && !cancellationToken.IsCancellationRequested)
        {
            return true;
        }

        // Half a response is of no use to anybody: nothing more may follow on this connection.
        _isOver = true;
        return false;
    }
}
