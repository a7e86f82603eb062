using System.IO.Pipelines;

namespace KeepFs.Hosting.Http;

/// <summary>The writer of a response: while it waits for the client, others have the request's turn.</summary>
internal sealed class WatchedWriter(PipeWriter inner, RequestTurn turn, CancellationToken aborted) : PipeWriter
{
    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => inner.UnflushedBytes;

    public override void Advance(int bytes) => inner.Advance(bytes);

    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (turn.MustHurry)
        {
            return HurryAsync(inner.FlushAsync, cancellationToken);
        }

        var pending = inner.FlushAsync(cancellationToken);
        return pending.IsCompleted ? pending : turn.WhileWaitingAsync(pending, aborted);
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (turn.MustHurry)
        {
            return HurryAsync(token => inner.WriteAsync(source, token), cancellationToken);
        }

        var pending = inner.WriteAsync(source, cancellationToken);
        return pending.IsCompleted ? pending : turn.WhileWaitingAsync(pending, aborted);
    }

    private async ValueTask<FlushResult> HurryAsync(Func<CancellationToken, ValueTask<FlushResult>> operation, CancellationToken cancellationToken)
    {
        var result = default(FlushResult);
        await turn.HurryAsync(async token => result = await operation(token), cancellationToken);
        return result;
    }
}
