using KeepFs.Engine.FileSystems;

namespace KeepFs.Fuse.MountHost;

/// <summary>Fills a tree from a local directory: what was saved before this process started.</summary>
internal static class TreeLoader
{
    private const int MaxFileBytes = 16 << 20;

    /// <summary>Makes the directory like the tree.</summary>
    public static async Task SaveAsync(IDirectoryNode source, DirectoryInfo target)
    {
        target.Delete(recursive: true);
        target.Create();
        foreach (var entry in await source.ListAsync(CancellationToken.None))
        {
            var path = Path.Combine(target.FullName, entry.Name);
            switch (await source.LookupAsync(entry.Name, CancellationToken.None))
            {
                case IDirectoryNode directory:
                    await SaveAsync(directory, Directory.CreateDirectory(path));
                    break;
                case IFileNode file:
                    await using (var handle = await file.OpenAsync(FileAccess.Read, CancellationToken.None))
                    {
                        using var lease = await handle.ReadAsync(0, MaxFileBytes, CancellationToken.None);
                        await File.WriteAllBytesAsync(path, lease.Memory.ToArray());
                    }

                    break;
            }
        }
    }

    public static async Task LoadAsync(IDirectoryNode target, DirectoryInfo source)
    {
        // In this order, so that two processes that load after a change give other numbers to the same names.
        foreach (var entry in source.EnumerateFileSystemInfos().OrderBy(_ => Random.Shared.Next()))
        {
            if (entry is DirectoryInfo directory)
            {
                await LoadAsync(await target.CreateDirectoryAsync(entry.Name, CancellationToken.None), directory);
                continue;
            }

            var file = await target.CreateFileAsync(entry.Name, CancellationToken.None);
            await using var handle = await file.OpenAsync(FileAccess.Write, CancellationToken.None);
            await handle.WriteAsync(0, await File.ReadAllBytesAsync(entry.FullName), CancellationToken.None);
        }
    }
}
