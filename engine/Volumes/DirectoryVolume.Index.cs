using System.Runtime.CompilerServices;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

public sealed partial class DirectoryVolume
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<IndexEntry> IndexAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var ofDirectory = prefix.Length < DirectoryLayout.DirectoryNameLength ? prefix : prefix[..DirectoryLayout.DirectoryNameLength];
        foreach (var directory in await RunAsync(ListDirectories, cancellationToken))
        {
            if (!directory.StartsWith(ofDirectory, StringComparison.Ordinal))
            {
                continue;
            }

            foreach (var entry in await RunAsync(() => IndexDirectory(directory, prefix), cancellationToken))
            {
                yield return entry;
            }
        }
    }

    /// <summary>A directory holds a 4096th of the volume, so sorting one at a time gives the order of the whole in little memory.</summary>
    private List<IndexEntry> IndexDirectory(string directory, string prefix)
    {
        var path = Path.Join(_layout.Root, directory);
        var entries = new List<IndexEntry>();
        foreach (var name in ListIfThere(path))
        {
            // A block in the wrong directory cannot be read, so it is not listed either.
            if (!BlockHash.TryParse(name, out var hash)
                || !name.StartsWith(prefix, StringComparison.Ordinal)
                || !name.StartsWith(directory, StringComparison.Ordinal))
            {
                continue;
            }

            if (_disk.Stat(Path.Join(path, name)) is { IsRegularFile: true } stat)
            {
                entries.Add(new IndexEntry(hash, stat.SizeBytes, stat.MtimeNanoseconds));
            }
        }

        // Not from another file system, and not fewer because the disk went away meanwhile.
        _root.Check();
        entries.Sort(static (a, b) => a.Hash.CompareTo(b.Hash));
        return entries;
    }

    private List<string> ListDirectories()
    {
        var names = _disk.List(_layout.Root).Where(DirectoryLayout.IsDirectoryName).ToList();
        names.Sort(StringComparer.Ordinal);
        _root.Check();
        return names;
    }

    private IReadOnlyList<string> ListIfThere(string directory)
    {
        try
        {
            return _disk.List(directory);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            _root.Check();
            return [];
        }
    }
}
