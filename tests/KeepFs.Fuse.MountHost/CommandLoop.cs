using System.Globalization;
using System.Text;
using KeepFs.Engine.FileSystems;
using KeepFs.Testing;

namespace KeepFs.Fuse.MountHost;

/// <summary>Changes the tree directly, as another front or a refresh would, and announces it. One command per line, one line back.</summary>
internal sealed class CommandLoop(MemoryFileSystem tree, FuseMount mount)
{
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly NodeFileOps _direct = new(tree);

    public async Task RunAsync(TextReader commands, TextWriter answers)
    {
        while (await commands.ReadLineAsync() is { } line)
        {
            await answers.WriteLineAsync(await ObeyAsync(line.Split(' ', 3)));
        }
    }

    private async Task<string> ObeyAsync(string[] words)
    {
        switch (words)
        {
            case ["stats"]:
                return $"{mount.KnownNodeCount} {mount.OpenHandleCount} {tree.Syncs}";
            case ["pid"]:
                return Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
            case ["passthrough"]:
                return mount.PassthroughCount.ToString(CultureInfo.InvariantCulture);
            case ["calls", var member]:
                return tree.CallsOf(member).ToString(CultureInfo.InvariantCulture);
            case ["write", var path, var text]:
                tree.Announce(await WriteAsync(path, text));
                return "ok";
            case ["change-silently", var path, var text]:
                _ = await WriteAsync(path, text);
                return "ok";
            case ["hang", var member]:
                tree.Before = (name, token) => name == member ? new ValueTask(_released.Task.WaitAsync(token)) : ValueTask.CompletedTask;
                return "ok";
            case ["release"]:
                tree.Before = null;
                _released.SetResult();
                return "ok";
            case ["fail", var member]:
                tree.Before = (name, _) => name == member ? throw new InvalidOperationException("ordered failure") : ValueTask.CompletedTask;
                return "ok";
            case ["fill", var path, var count]:
                await FillAsync(path, int.Parse(count, CultureInfo.InvariantCulture));
                return "ok";
            case ["remove", var path]:
                await _direct.RemoveAsync(path, NodeKind.File);
                tree.Announce(new NodeChange(await _direct.ParentOfAsync(path), NodeFileOps.NameOf(path)));
                return "ok";
            default:
                return $"unknown command {words[0]}";
        }
    }

    private async Task FillAsync(string path, int count)
    {
        await _direct.CreateDirectoryAsync(path);
        var directory = (IDirectoryNode)await _direct.NodeAsync(path);
        for (var i = 0; i < count; i++)
        {
            await directory.CreateFileAsync(string.Create(CultureInfo.InvariantCulture, $"file-{i}"), CancellationToken.None);
        }

        tree.Announce(new NodeChange(tree.Root, NodeFileOps.NameOf(path)));
    }

    private async Task<NodeChange> WriteAsync(string path, string text)
    {
        var isNew = await _direct.StatAsync(path) is null;
        if (isNew)
        {
            await _direct.CreateFileAsync(path);
        }

        await _direct.SetSizeAsync(path, 0);
        await using (var file = await _direct.OpenAsync(path, FileAccess.Write))
        {
            await file.WriteAsync(0, Encoding.UTF8.GetBytes(text));
        }

        return isNew
            ? new NodeChange(await _direct.ParentOfAsync(path), NodeFileOps.NameOf(path))
            : new NodeChange(await _direct.NodeAsync(path), null);
    }
}
