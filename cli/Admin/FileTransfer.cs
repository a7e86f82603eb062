using KeepFs.Engine.Volumes;

namespace KeepFs.Cli.Admin;

/// <summary>Writes a file that is either whole and on stable storage, or not there; what exists is never overwritten.</summary>
internal static class FileTransfer
{
    private const int BufferBytes = 1 << 20;

    /// <summary>Copies the stream into a new file that only its owner may read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">What goes in.</param>
    /// <param name="check">Looks at the file before it gets its name; throws when it is not good.</param>
    /// <param name="ct">Ends the wait; nothing is left then.</param>
    public static Task SaveAsync(string path, Stream content, Action<string> check, CancellationToken ct) =>
        SaveAsync(path, file => content.CopyToAsync(file, BufferBytes, ct), check);

    /// <summary>The same, for what is written step by step.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes what goes in; nothing is left when it throws.</param>
    /// <param name="check">Looks at the file before it gets its name; throws when it is not good.</param>
    public static async Task SaveAsync(string path, Func<Stream, Task> write, Action<string> check)
    {
        path = Path.GetFullPath(path);
        RequireFree(path);
        var partial = $"{path}.{Guid.NewGuid():N}.part";
        try
        {
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            };
            await using (var file = new FileStream(partial, options))
            {
                await write(file);
                file.Flush(flushToDisk: true);
            }

            check(partial);
            RequireFree(path);
            File.Move(partial, path, overwrite: false);
            new PosixDisk().SyncDirectory(Path.GetDirectoryName(path)!);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    public static void RequireFree(string path)
    {
        if (Path.Exists(path))
        {
            throw new CommandException($"{path} exists already and is not overwritten. Choose another name, or remove it.");
        }
    }
}
