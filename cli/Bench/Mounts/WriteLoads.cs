using System.Security.Cryptography;

namespace KeepFs.Cli.Bench.Mounts;

/// <summary>One large file, until fsync says that it is safe.</summary>
internal sealed record SequentialWrite() : MountLoad("sequential write and fsync", "MB/s", Writes: true)
{
    private const int PieceBytes = 1 << 20;

    public override Task<double> RunAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken)
    {
        // Other bytes each time: blocks that are stored already would be found.
        var buffer = RandomNumberGenerator.GetBytes(PieceBytes);
        using var file = File.OpenHandle(FileOf(peer), FileMode.Create, FileAccess.Write);
        for (long at = 0; at < data.FileBytes; at += PieceBytes)
        {
            BitConverter.TryWriteBytes(buffer, at);
            RandomAccess.Write(file, buffer, at);
        }

        RandomAccess.FlushToDisk(file);
        return Task.FromResult(data.FileBytes / 1e6);
    }

    public override Task CleanAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken)
    {
        File.Delete(FileOf(peer));
        return Task.CompletedTask;
    }

    private static string FileOf(MountPeer peer) => Path.Combine(peer.Writable!, "large");
}

/// <summary>Small files, made one after the other by one thread, until all are safe.</summary>
internal record CreateFiles(string Name = "create, write, close small files; sync", string Unit = "files/s") : MountLoad(Name, Unit, Writes: true)
{
    private const int SmallBytes = 1024;

    public override async Task<double> RunAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(FolderOf(peer));
        var content = RandomNumberGenerator.GetBytes(SmallBytes);
        for (var i = 0; i < data.Files; i++)
        {
            using var file = File.OpenHandle(Path.Combine(FolderOf(peer), $"f{i}"), FileMode.CreateNew, FileAccess.Write);
            BitConverter.TryWriteBytes(content, i);
            RandomAccess.Write(file, content, 0);
        }

        await Shell.RunAsync($"sync -f '{FolderOf(peer)}'; sync '{FolderOf(peer)}/f0'", peer.Writable!, cancellationToken);
        return data.Files;
    }

    public override Task CleanAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken)
    {
        Directory.Delete(FolderOf(peer), recursive: true);
        return Task.CompletedTask;
    }

    protected static string FolderOf(MountPeer peer) => Path.Combine(peer.Writable!, "small");
}

/// <summary>The small files are unlinked.</summary>
internal sealed record RemoveFiles() : CreateFiles("unlink small files", "files/s")
{
    public override Task PrepareAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken) => base.RunAsync(peer, data, cancellationToken);

    public override Task<double> RunAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken)
    {
        for (var i = 0; i < data.Files; i++)
        {
            File.Delete(Path.Combine(FolderOf(peer), $"f{i}"));
        }

        return Task.FromResult((double)data.Files);
    }
}

/// <summary>A source tree out of a tar file on the local disk.</summary>
internal sealed record Untar() : MountLoad("untar a tree", "files/s", Writes: true)
{
    public override async Task<double> RunAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken)
    {
        await Shell.RunAsync($"tar -xf '{data.Folder}/{BenchData.Archive}' --no-same-owner", peer.Writable!, cancellationToken);
        return data.Files;
    }

    public override Task CleanAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken)
    {
        Directory.Delete(Path.Combine(peer.Writable!, BenchData.Tree), recursive: true);
        return Task.CompletedTask;
    }
}

/// <summary>git clone of a local repository into the mount, then git status.</summary>
internal sealed record GitClone() : MountLoad("git clone, git status", "files/s", Writes: true)
{
    public override async Task<double> RunAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken)
    {
        await Shell.RunAsync($"git clone -q --no-hardlinks '{data.Folder}/{BenchData.Repository}' clone && git -C clone status --short", peer.Writable!, cancellationToken);
        return data.Files;
    }

    public override Task CleanAsync(MountPeer peer, BenchData data, CancellationToken cancellationToken)
    {
        Directory.Delete(Path.Combine(peer.Writable!, "clone"), recursive: true);
        return Task.CompletedTask;
    }
}
