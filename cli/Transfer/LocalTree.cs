namespace KeepFs.Cli.Transfer;

/// <summary>A file or directory to upload, or something that a collection cannot hold.</summary>
/// <param name="Path">Path in the collection, without leading slash.</param>
/// <param name="LocalPath">Where it is.</param>
/// <param name="SizeBytes">Length of a file; -1 for a directory.</param>
internal readonly record struct LocalEntry(string Path, string LocalPath, long SizeBytes)
{
    public bool IsDirectory => SizeBytes < 0;
}

/// <summary>What was left out, and why (spec decision 18).</summary>
/// <param name="LocalPath">Where it is.</param>
/// <param name="Reason">Why.</param>
/// <param name="IsUnread">It may hold entries that nobody has seen.</param>
internal readonly record struct SkippedEntry(string LocalPath, string Reason, bool IsUnread = false);

/// <summary>Walks local files in the order of manifests. What a collection cannot hold is reported, never silently dropped.</summary>
internal sealed class LocalTree
{
    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false, RecurseSubdirectories = false };
    private readonly bool _followLinks;
    private readonly Action<SkippedEntry> _skipped;

    /// <param name="followLinks">Store what a symbolic link points to; otherwise links are skipped.</param>
    /// <param name="skipped">Told about everything that is left out.</param>
    public LocalTree(bool followLinks, Action<SkippedEntry> skipped) => (_followLinks, _skipped) = (followLinks, skipped);

    /// <summary>
    /// The entries of one command line argument: a file under its base name; a directory as <c>name/...</c>, or its contents at the root when the path
    /// ends with a slash (client-cli.md section 2).
    /// </summary>
    /// <exception cref="CommandException">There is no such file.</exception>
    public IEnumerable<LocalEntry> Walk(string argument)
    {
        var full = Path.GetFullPath(argument);
        if (Directory.Exists(full))
        {
            var root = argument.EndsWith('/') || argument is "." or ".." ? "" : Path.GetFileName(full.TrimEnd('/'));
            return WalkDirectory(full, root, [RealPath(full)]);
        }

        var file = new FileInfo(full);
        return file.Exists ? [new LocalEntry(file.Name, full, file.Length)] : throw new CommandException($"There is no file or directory \"{argument}\".");
    }

    private IEnumerable<LocalEntry> WalkDirectory(string folder, string path, HashSet<string> above)
    {
        if (path.Length > 0)
        {
            yield return new LocalEntry(path, folder, -1);
        }

        List<FileSystemInfo> children;
        try
        {
            children = [.. new DirectoryInfo(folder).EnumerateFileSystemInfos("*", Everything).OrderBy(info => info.Name, Engine.Manifests.Utf8Order.Instance)];
        }
        catch (UnauthorizedAccessException e)
        {
            _skipped(new SkippedEntry(folder, $"cannot be read: {e.Message}", IsUnread: true));
            yield break;
        }

        foreach (var child in children)
        {
            foreach (var entry in WalkChild(child, path.Length == 0 ? child.Name : $"{path}/{child.Name}", above))
            {
                yield return entry;
            }
        }
    }

    private IEnumerable<LocalEntry> WalkChild(FileSystemInfo child, string path, HashSet<string> above)
    {
        if (child.Name.Contains('\uFFFD', StringComparison.Ordinal) && !Path.Exists(child.FullName))
        {
            return Skip(child, "its name is not valid UTF-8, and collections hold only UTF-8 names");
        }

        if (child.LinkTarget is not null)
        {
            if (!_followLinks)
            {
                return Skip(child, "it is a symbolic link, which a collection cannot hold (--follow-links stores what it points to)");
            }

            var target = child.ResolveLinkTarget(returnFinalTarget: true);
            if (target is not { Exists: true })
            {
                return Skip(child, "it is a symbolic link that leads nowhere");
            }

            child = target is DirectoryInfo ? new DirectoryInfo(target.FullName) : new FileInfo(target.FullName);
        }

        if (child is DirectoryInfo)
        {
            var real = RealPath(child.FullName);
            return above.Contains(real) ? Skip(child, "following it would never end: it leads back to a directory above") : WalkDirectory(child.FullName, path, [.. above, real]);
        }

        return IsRegular(child) ? [new LocalEntry(path, child.FullName, ((FileInfo)child).Length)] : Skip(child, "it is not a regular file (device, socket or pipe)");
    }

    private IEnumerable<LocalEntry> Skip(FileSystemInfo info, string reason)
    {
        _skipped(new SkippedEntry(info.FullName, reason));
        return [];
    }

    private static bool IsRegular(FileSystemInfo info) => (info.Attributes & FileAttributes.Device) == 0 && Mono.Unix.Native.Syscall.lstat(info.FullName, out var stat) == 0
        && (stat.st_mode & Mono.Unix.Native.FilePermissions.S_IFMT) == Mono.Unix.Native.FilePermissions.S_IFREG;

    private static string RealPath(string path) => new DirectoryInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Path.TrimEndingDirectorySeparator(path);
}
