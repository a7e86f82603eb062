namespace KeepFs.Cli.Bench.Mounts;

/// <summary>The disk itself: the upper limit.</summary>
internal sealed class LocalPeer(BenchData data, string folder) : MountPeer
{
    public const string Title = "local disk";

    public override string Name => Title;

    public override string Writable => folder;

    public override string Readable => data.Folder;

    public override bool IsMount => false;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        return Task.CompletedTask;
    }

    public override Task RestartColdAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override ValueTask DisposeAsync() => default;
}
