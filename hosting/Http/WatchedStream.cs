namespace KeepFs.Hosting.Http;

/// <summary>A request's or response's stream: while an operation on it waits for the client, others have the request's turn.</summary>
internal sealed class WatchedStream(Stream inner, RequestTurn turn, CancellationToken aborted) : ForwardStream
{
    public override bool CanRead => inner.CanRead;

    public override bool CanWrite => inner.CanWrite;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (turn.MustHurry)
        {
            return HurryAsync(buffer, cancellationToken);
        }

        var pending = inner.ReadAsync(buffer, cancellationToken);
        return pending.IsCompleted ? pending : turn.WhileWaitingAsync(pending, aborted);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (turn.MustHurry)
        {
            await HurryAsync(token => inner.WriteAsync(buffer, token), cancellationToken);
            return;
        }

        await turn.WhileWaitingAsync(inner.WriteAsync(buffer, cancellationToken), aborted);
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (turn.MustHurry)
        {
            await HurryAsync(token => new ValueTask(inner.FlushAsync(token)), cancellationToken);
            return;
        }

        await turn.WhileWaitingAsync(new ValueTask(inner.FlushAsync(cancellationToken)), aborted);
    }

    private async ValueTask<int> HurryAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var read = 0;
        await HurryAsync(async token => read = await inner.ReadAsync(buffer, token), cancellationToken);
        return read;
    }

    private ValueTask HurryAsync(Func<CancellationToken, ValueTask> operation, CancellationToken cancellationToken) => turn.HurryAsync(operation, cancellationToken);
}
