using KeepFs.Engine.FileSystems;

namespace KeepFs.Engine.Tests.FileSystems.Journal;

/// <summary>Random work in a collection: names, data, handles that stay open.</summary>
internal sealed class RandomOperations(CollectionFileSystem collection, Random random)
{
    private static readonly string[] Names = ["a", "b", "c", "d", "e"];
    private readonly List<IFileHandle> _open = [];

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
        foreach (var handle in _open)
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
                var size = random.Next(6000);
                History.Add($"truncate {path} {size}");
                await file.SetSizeAsync(size, default);
                break;
            case < 12 when await directory.LookupAsync(name, default) is IFileNode file:
                await using (var handle = await file.OpenAsync(FileAccess.Write, default))
                {
                    await WriteAsync(handle, path);
                    await handle.FlushAsync(default);
                }

                break;
            case 12 when _open.Count > 0:
                var at = random.Next(_open.Count);
                History.Add($"close handle {at}");
                await _open[at].DisposeAsync();
                _open.RemoveAt(at);
                break;
            default:
                if (_open.Count > 0)
                {
                    var index = random.Next(_open.Count);
                    await WriteAsync(_open[index], $"handle {index}");
                }

                break;
        }
    }

    private async Task WriteAsync(IFileHandle handle, string path)
    {
        var data = new byte[random.Next(4) == 0 ? random.Next(1, 9000) : random.Next(1, 300)];
        random.NextBytes(data);
        var offset = random.Next(4000);
        History.Add($"write {path} {offset}+{data.Length}");
        await handle.WriteAsync(offset, data, default);
    }

    private async Task KeepOpenAsync(IFileNode file)
    {
        var handle = await file.OpenAsync(FileAccess.ReadWrite, default);
        if (_open.Count < 4)
        {
            _open.Add(handle);
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
