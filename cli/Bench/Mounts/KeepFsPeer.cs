namespace KeepFs.Cli.Bench.Mounts;

/// <summary>Our mount, in a process of its own with a cache of its own, against a keepstore on the same disk.</summary>
internal sealed class KeepFsPeer(BenchCluster cluster, string folder, bool isReadOnly) : MountPeer
{
    private const int PollMilliseconds = 300;
    private MountedChild? _child;

    public override string Name => isReadOnly ? "keepfs, read-only" : "keepfs";

    public override string? Writable => isReadOnly ? null : Path.Combine(MountPoint, "home", "ours");

    public override string Readable => Path.Combine(MountPoint, "by_id", cluster.DataUuid);

    private string MountPoint => Path.Combine(folder, "mnt");

    private string Cache => Path.Combine(folder, "cache");

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        await MountAsync(cancellationToken);
        if (Writable is not null)
        {
            Directory.CreateDirectory(Writable);
        }
    }

    public override async Task RestartColdAsync(CancellationToken cancellationToken)
    {
        await _child!.DisposeAsync();
        if (Directory.Exists(Cache))
        {
            Directory.Delete(Cache, recursive: true);
        }

        await MountAsync(cancellationToken);
    }

    /// <summary>Until the cache on disk stops growing.</summary>
    public override async Task SettleAsync(CancellationToken cancellationToken)
    {
        var (before, now) = (-1L, CachedBytes());
        while (before != now)
        {
            await Task.Delay(PollMilliseconds, cancellationToken);
            (before, now) = (now, CachedBytes());
        }
    }

    public override ValueTask DisposeAsync() => _child?.DisposeAsync() ?? default;

    private long CachedBytes() =>
        Directory.Exists(Cache) ? new DirectoryInfo(Cache).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Exists ? file.Length : 0) : 0;

    private async Task MountAsync(CancellationToken cancellationToken)
    {
        var variables = new Dictionary<string, string>(cluster.Variables) { ["XDG_CACHE_HOME"] = Cache, ["XDG_STATE_HOME"] = Path.Combine(folder, "state") };
        string[] arguments = ["mount", .. isReadOnly ? ["--read-only"] : Array.Empty<string>(), MountPoint];
        _child = await MountedChild.StartAsync(ThisProgram.CommandLine(arguments), variables, MountPoint, Path.Combine(folder, "log"), cancellationToken);
    }
}
