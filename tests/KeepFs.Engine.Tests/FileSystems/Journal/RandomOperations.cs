using KeepFs.Engine.FileSystems;

namespace KeepFs.Engine.Tests.FileSystems.Journal;

/// <summary>Random work in a collection: names, data, handles that stay open.</summary>
/// <param name="collection">Where.</param>
/// <param name="random">What.</param>
/// <param name="leavesNoGaps">Files are only extended from their end, which is one record each: filling a gap is a step of its own.</param>
internal sealed class RandomOperations(CollectionFileSystem collection, Random random, bool leavesNoGaps = false)
{
    private static readonly string[] Names = ["a", "b", "c", "d", "e"];
    private readonly List<(IFileHandle Handle, IFileNode File)> _open = [];

    public List<string> History { get; } = [];

    public async Task NextAsync()
    {
        var (directory, path) = await DirectoryAsync();
        var name = Names[random.Next(Names.Length)];
        try
        {
            await NextAsync(directory, path + name, name);
        }
        catch (FsException e)
        {
            History.Add($"  {e.Error}");
        }
    }

    public async Task CloseAsync()
    {
        foreach (var (handle, _) in _open)
        {
            await handle.DisposeAsync();
        }

        _open.Clear();
    }

    private async Task NextAsync(IDirectoryNode directory, string path, string name)
    {
        switch (random.Next(16))
        {
            case < 3:
                History.Add($"create {path}");
                await KeepOpenAsync(await directory.CreateFileAsync(name, default));
                break;
            case 3:
                History.Add($"mkdir {path}");
                await directory.CreateDirectoryAsync(name, default);
                break;
            case 4:
                History.Add($"unlink {path}");
                await directory.RemoveAsync(name, NodeKind.File, default);
                break;
            case 5:
                History.Add($"rmdir {path}");
                await directory.RemoveAsync(name, NodeKind.Directory, default);
                break;
            case < 8:
                var (target, targetPath) = await DirectoryAsync();
                var targetName = Names[random.Next(Names.Length)];
                History.Add($"rename {path} -> {targetPath}{targetName}");
                await directory.RenameAsync(name, target, targetName, random.Next(5) > 0, default);
                break;
            case 8 when await directory.LookupAsync(name, default) is IFileNode file:
                var size = random.Next(leavesNoGaps ? (int)(await file.GetAttributesAsync(default)).SizeBytes + 1 : 6000);
                History.Add($"truncate {path} {size}");
                await file.SetSizeAsync(size, default);
                break;
            case < 12 when await directory.LookupAsync(name, default) is IFileNode file:
                await using (var handle = await file.OpenAsync(FileAccess.Write, default))
                {
                    await WriteAsync(handle, file, path);
                    await handle.FlushAsync(default);
                }

                break;
            case 12 when _open.Count > 0:
                var at = random.Next(_open.Count);
                History.Add($"close handle {at}");
                await _open[at].Handle.DisposeAsync();
                _open.RemoveAt(at);
                break;
            default:
                if (_open.Count > 0)
                {
                    var index = random.Next(_open.Count);
                    await WriteAsync(_open[index].Handle, _open[index].File, $"handle {index}");
                }

                break;
        }
    }

    private async Task WriteAsync(IFileHandle handle, IFileNode file, string path)
    {
        var data = new byte[random.Next(4) == 0 ? random.Next(1, 9000) : random.Next(1, 300)];
        random.NextBytes(data);
        var offset = random.Next(leavesNoGaps ? (int)(await file.GetAttributesAsync(default)).SizeBytes + 1 : 4000);
        History.Add($"write {path} {offset}+{data.Length}");
        await handle.WriteAsync(offset, data, default);
    }

    private async Task KeepOpenAsync(IFileNode file)
    {
        var handle = await file.OpenAsync(FileAccess.ReadWrite, default);
        if (_open.Count < 4)
        {
            _open.Add((handle, file));
        }
        else
        {
            await handle.DisposeAsync();
        }
    }

    private async Task<(IDirectoryNode Directory, string Path)> DirectoryAsync()
    {
        var (directory, path) = (collection.Root, "");
        while (random.Next(2) == 0)
        {
            var name = Names[random.Next(Names.Length)];
            if (await directory.LookupAsync(name, default) is not IDirectoryNode next)
            {
                break;
            }

            (directory, path) = (next, $"{path}{name}/");
        }

        return (directory, path);
    }
}
