using System.Runtime.CompilerServices;
using KeepFs.Engine.Blocks;

namespace KeepFs.Hosting.Http;

/// <summary>
/// One request's turn in a <see cref="RequestLimiter"/>. While the request waits for bytes that its client does not send or does not take, others have
/// the turn: however many clients are slow, they do not keep the rest out. When more are slow than the limiter allows, a client is waited for only
/// <see cref="Patience"/>. Safe for concurrent use; of several waits at the same time the first gives the turn away.
/// </summary>
internal sealed class RequestTurn(RequestLimiter limiter)
{
    /// <summary>A client that moves at all does so within this time; only counts when there are too many slow ones.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private const int Held = 0, Aside = 1, Ended = 2;
    private int _state;

    /// <summary>There are as many slow clients as may be.</summary>
    public bool MustHurry => limiter.Aside >= limiter.MaxAside;

    /// <summary>Awaits what waits for the client, and meanwhile gives the turn away.</summary>
    /// <param name="pending">The operation, already started.</param>
    /// <param name="aborted">The end of the request: nothing waits for its turn any more.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<T> WhileWaitingAsync<T>(ValueTask<T> pending, CancellationToken aborted)
    {
        var isAside = TryStepAside();
        try
        {
            return await pending;
        }
        finally
        {
            if (isAside)
            {
                await ReturnAsync(aborted);
            }
        }
    }

    /// <inheritdoc cref="WhileWaitingAsync{T}"/>
    public async ValueTask WhileWaitingAsync(ValueTask pending, CancellationToken aborted)
    {
        if (pending.IsCompleted)
        {
            await pending;
            return;
        }

        await WhileWaitingAsync(DoneAsync(pending), aborted);

        static async ValueTask<bool> DoneAsync(ValueTask pending)
        {
            await pending;
            return true;
        }
    }

    /// <summary>True: the turn is given away, and <see cref="ReturnAsync"/> must follow.</summary>
    public bool TryStepAside()
    {
        if (Interlocked.CompareExchange(ref _state, Aside, Held) != Held)
        {
            return false;
        }

        limiter.StepAside();
        return true;
    }

    /// <summary>Waits until it is this request's turn again.</summary>
    /// <exception cref="OperationCanceledException">It never will be.</exception>
    public async ValueTask ReturnAsync(CancellationToken cancellationToken)
    {
        try
        {
            await limiter.ReturnAsync(cancellationToken);
        }
        catch
        {
            Volatile.Write(ref _state, Ended);
            throw;
        }

        if (Interlocked.CompareExchange(ref _state, Held, Aside) != Aside)
        {
            limiter.Exit();
        }
    }

    /// <summary>The request is answered.</summary>
    public void End()
    {
        if (Interlocked.Exchange(ref _state, Ended) == Held)
        {
            limiter.Exit();
        }
    }

    /// <summary>Keeps the turn, and waits for the client no longer than <see cref="Patience"/>.</summary>
    /// <exception cref="KeepException"><see cref="KeepErrorKind.Overloaded"/>: it did not move.</exception>
    public async ValueTask HurryAsync(Func<CancellationToken, ValueTask> operation, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(Patience, limiter.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            await operation(either.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new KeepException(
                KeepErrorKind.Overloaded, $"{limiter.MaxAside} slow clients are already waited for, and this one did not move for {Patience.TotalSeconds} s; try again later.");
        }
    }
}
