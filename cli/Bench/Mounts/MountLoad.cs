namespace KeepFs.Cli.Bench.Mounts;

/// <summary>Something that people do in a mount, and how much of it was done.</summary>
/// <param name="Name">As the table calls it.</param>
/// <param name="Unit">What is counted, per second.</param>
/// <param name="Writes">Needs a folder that can be written.</param>
internal abstract record MountLoad(string Name, string Unit, bool Writes)
{
    /// <summary>Puts the mount into the state that the load starts from; not timed.</summary>
    public virtual Task PrepareAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Does it; returns how much.</summary>
    public abstract Task<double> RunAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken);

    /// <summary>Takes away what was written; not timed.</summary>
    public virtual Task CleanAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public sealed override string ToString() => Name;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<MountLoad> All(MountBenchOptions options) =>
    [
        new SequentialRead(IsCold: true),
        new SequentialRead(IsCold: false),
        new RandomRead(options.Duration),
        new SequentialWrite(),
        new CreateFiles(),
        new StatFiles(),
        new RemoveFiles(),
        new ListTree(),
        new Untar(),
        new GitClone(),
    ];
}
