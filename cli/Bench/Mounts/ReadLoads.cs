using System.Diagnostics;

namespace KeepFs.Cli.Bench.Mounts;

/// <summary>One large file from start to end: the first time, by a mount that has served another file before, or when the mount has it already (and the kernel's own pages are forgotten).</summary>
internal sealed record SequentialRead(bool IsCold) : MountLoad(IsCold ? "first sequential read" : "cached sequential read", "MB/s", Writes: false)
{
    private const int PieceBytes = 1 << 20;

    public override async Task PrepareAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken)
    {
        if (IsCold)
        {
            await peer.RestartColdAsync(cancellationToken);
            // The data is what is cold: a mount is up for days, not for the second in which a program compiles itself.
            Read(Path.Combine(peer.Readable, BenchData.Other));
            await peer.SettleAsync(cancellationToken);
        }
        else
        {
            // Twice: what was fetched goes to disk past the kernel's memory, and comes back into it when it is used again.
            for (var i = 0; i < 2; i++)
            {
                Read(Path.Combine(peer.Readable, BenchData.Large));
                await peer.SettleAsync(cancellationToken);
                if (peer.IsMount)
                {
                    DirectReads.Forget(Path.Combine(peer.Readable, BenchData.Large));
                }
            }
        }
    }

    public override Task<double> RunAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken) =>
        Task.FromResult(Read(Path.Combine(peer.Readable, BenchData.Large)) / 1e6);

    private static long Read(string path)
    {
        using var file = File.OpenHandle(path, options: FileOptions.SequentialScan);
        var buffer = new byte[PieceBytes];
        long total = 0;
        for (int count; (count = RandomAccess.Read(file, buffer, total)) > 0; total += count)
        {
        }

        return total;
    }
}

/// <summary>4 KiB anywhere in the large file, four readers at once, each read a request to the mount; its blocks are cached.</summary>
internal sealed record RandomRead(TimeSpan Duration) : MountLoad("random 4 KiB reads, 4 jobs", "reads/s", Writes: false)
{
    private const int Jobs = 4;
    private const int PieceBytes = 4096;

    public override Task PrepareAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken) =>
        new SequentialRead(IsCold: false).PrepareAsync(peer, data, cancellationToken);

    public override async Task<double> RunAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken)
    {
        var path = Path.Combine(peer.Readable, BenchData.Large);
        var pieces = data.FileBytes / PieceBytes;
        var started = Stopwatch.GetTimestamp();
        var counts = await Task.WhenAll(Enumerable.Range(0, Jobs).Select(job => Task.Factory.StartNew(() => Read(path, peer.IsMount, pieces, job, started), TaskCreationOptions.LongRunning)));
        return counts.Sum();
    }

    private unsafe long Read(string path, bool isDirect, long pieces, int seed, long started)
    {
        using var file = isDirect ? DirectReads.OpenDirect(path) : File.OpenHandle(path, options: FileOptions.RandomAccess);
        var memory = System.Runtime.InteropServices.NativeMemory.AlignedAlloc(PieceBytes, PieceBytes);
        try
        {
            var random = new Random(seed);
            long count = 0;
            for (; Stopwatch.GetElapsedTime(started) < Duration; count++)
            {
                if (RandomAccess.Read(file, new Span<byte>(memory, PieceBytes), random.NextInt64(pieces) * PieceBytes) != PieceBytes)
                {
                    throw new IOException($"{path}: a short read");
                }
            }

            return count;
        }
        finally
        {
            System.Runtime.InteropServices.NativeMemory.AlignedFree(memory);
        }
    }
}

/// <summary>stat of every small file, again and again; the kernel may have it.</summary>
internal sealed record StatFiles() : MountLoad("stat, warm", "files/s", Writes: false)
{
    private const int Passes = 10;
    private string[] _files = [];

    public override Task PrepareAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken)
    {
        _files = Directory.GetFiles(Path.Combine(peer.Readable, BenchData.Tree), "*", SearchOption.AllDirectories);
        Pass();
        return Task.CompletedTask;
    }

    public override Task<double> RunAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken) =>
        Task.FromResult((double)Enumerable.Range(0, Passes).Sum(_ => Pass()));

    private int Pass()
    {
        foreach (var file in _files)
        {
            if (Mono.Unix.Native.Syscall.stat(file, out _) != 0)
            {
                throw new IOException($"stat {file} failed");
            }
        }

        return _files.Length;
    }
}

/// <summary>ls -lR of the tree, the first time after mounting.</summary>
internal sealed record ListTree() : MountLoad("ls -lR, first time", "files/s", Writes: false)
{
    public override Task PrepareAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken) => peer.RestartColdAsync(cancellationToken);

    public override async Task<double> RunAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken)
    {
        await Shell.RunAsync($"ls -lR {BenchData.Tree}", peer.Readable, cancellationToken);
        return data.Files;
    }
}
