namespace KeepFs.Cli.Bench.Mounts;

/// <summary>A folder that the benchmark works in: a mount of ours, of somebody else, or none at all.</summary>
internal abstract class MountPeer : IAsyncDisposable
{
    /// <summary>As the table calls it.</summary>
    public abstract string Name { get; }

    /// <summary>Where files are written; empty at first. Null when nothing can be written.</summary>
    public abstract string? Writable { get; }

    /// <summary>Where <see cref="BenchData"/> is read.</summary>
    public abstract string Readable { get; }

    /// <summary>Goes through a mount, whose own page cache can be passed by.</summary>
    public virtual bool IsMount => true;

    /// <summary>Makes the mount, with the data readable in it.</summary>
    public abstract Task StartAsync(CancellationToken cancellationToken);

    /// <summary>A new process that knows nothing yet; what lies below it stays in memory.</summary>
    public abstract Task RestartColdAsync(CancellationToken cancellationToken);

    /// <summary>Called before each round of each load.</summary>
    public virtual Task RefreshAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Waits for work that goes on behind a reader's back and that the next reader gains from.</summary>
    public virtual Task SettleAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
