using KeepFs.Cli.Settings;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;

namespace KeepFs.Cli.Transfer;

/// <summary>
/// Writes files of a collection to a local folder, several at a time. Each file is written beside its place under a temporary name and renamed when
/// it is whole, so nobody ever sees half of one.
/// </summary>
internal sealed class TreeDownload(ClientSession session, Action<long> progress)
{
    private const int Parallel = 4;
    private const int ReadBytes = 4 << 20;
    private const int ReadAheadBlocks = 2;

    /// <summary>Fetches every entry below <paramref name="directory"/>; empty directories are created too.</summary>
    public async Task<(int Files, long Bytes)> RunAsync(ManifestDirectory directory, string folder, bool overwrite, CancellationToken cancellationToken)
    {
        var tree = new ManifestTree();
        tree.Put("", directory);
        var entries = tree.Walk().ToList();
        var files = entries.Where(entry => entry.Node is ManifestFile).Select(entry => (Target: Path.Combine(folder, entry.Path), File: (ManifestFile)entry.Node)).ToList();
        if (!overwrite && files.FirstOrDefault(file => Path.Exists(file.Target)).Target is { } existing)
        {
            throw new CommandException($"\"{existing}\" exists already, so nothing was written; -f overwrites.");
        }

        Directory.CreateDirectory(folder);
        foreach (var (path, node) in entries)
        {
            if (node is ManifestDirectory)
            {
                Directory.CreateDirectory(Path.Combine(folder, path));
            }
        }

        await System.Threading.Tasks.Parallel.ForEachAsync(
            files,
            new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken },
            async (file, token) => await WriteFileAsync(file.File, file.Target, token));
        return (files.Count, files.Sum(file => file.File.SizeBytes));
    }

    /// <summary>Fetches one file.</summary>
    public async Task WriteFileAsync(ManifestFile source, string target, CancellationToken cancellationToken)
    {
        // A fixed short name: the target's own may already have the 255 bytes that a name can have.
        var part = Path.Combine(Path.GetDirectoryName(target)!, $".keepfs-part-{Guid.NewGuid():N}");
        try
        {
            await using (var output = new FileStream(part, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true))
            {
                await CopyAsync(source, output, cancellationToken);
            }

            File.Move(part, target, overwrite: true);
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }

    /// <summary>Sends a file's bytes to a stream.</summary>
    public async Task CopyAsync(ManifestFile source, Stream output, CancellationToken cancellationToken)
    {
        var reader = new SegmentReader(source.Segments);
        for (long offset = 0; offset < reader.SizeBytes;)
        {
            reader.Prefetch(session.Store, offset, ReadAheadBlocks);
            using var lease = await reader.ReadRunAsync(session.Store, offset, ReadBytes, cancellationToken);
            await output.WriteAsync(lease.Memory, cancellationToken);
            offset += lease.Memory.Length;
            progress(lease.Memory.Length);
        }
    }
}
