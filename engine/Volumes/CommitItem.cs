namespace KeepFs.Engine.Volumes;

/// <summary>One write or touch on its way through a <see cref="SharedCommit"/>.</summary>
/// <param name="failuresBefore"><see cref="SharedCommit.Failures"/> before its first byte was written.</param>
/// <param name="publish">
/// Gives the durable bytes their name, or says false when somebody holds the lock for that; null: its name or time is set already.
/// </param>
/// <param name="continuesInline">What waits for it goes on within the cycle itself (simulation).</param>
internal sealed class CommitItem(int failuresBefore, Func<bool>? publish, bool continuesInline)
{
    private readonly TaskCompletionSource<bool> _done = new(continuesInline ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously);

    public int FailuresBefore => failuresBefore;

    public Func<bool>? Publish => publish;

    public Task<bool> Done => _done.Task;

    public void Succeed() => _done.SetResult(true);

    public void LeaveToCaller() => _done.SetResult(false);

    public void Fail(Exception failure) => _done.SetException(failure);
}
