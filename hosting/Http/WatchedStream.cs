namespace KeepFs.Hosting.Http;

/// <summary>A request's or response's stream: while an operation on it waits for the client, others have the request's turn.</summary>
internal sealed class WatchedStream(Stream inner, RequestTurn turn, CancellationToken aborted) : Stream
{
    public override bool CanRead => inner.CanRead;

    public override bool CanSeek => false;

    public override bool CanWrite => inner.CanWrite;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (turn.MustHurry)
        {
            return HurryAsync(buffer, cancellationToken);
        }

        var pending = inner.ReadAsync(buffer, cancellationToken);
        return pending.IsCompleted ? pending : turn.WhileWaitingAsync(pending, aborted);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (turn.MustHurry)
        {
            await HurryAsync(token => inner.WriteAsync(buffer, token), cancellationToken);
            return;
        }

        await turn.WhileWaitingAsync(inner.WriteAsync(buffer, cancellationToken), aborted);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (turn.MustHurry)
        {
            await HurryAsync(token => new ValueTask(inner.FlushAsync(token)), cancellationToken);
            return;
        }

        await turn.WhileWaitingAsync(new ValueTask(inner.FlushAsync(cancellationToken)), aborted);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Bodies are read without blocking a thread.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Bodies are written without blocking a thread.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private async ValueTask<int> HurryAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var read = 0;
        await HurryAsync(async token => read = await inner.ReadAsync(buffer, token), cancellationToken);
        return read;
    }

    private ValueTask HurryAsync(Func<CancellationToken, ValueTask> operation, CancellationToken cancellationToken) => turn.HurryAsync(operation, cancellationToken);
}
