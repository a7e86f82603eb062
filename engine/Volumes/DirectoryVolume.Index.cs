using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

public sealed partial class DirectoryVolume
{
    /// <summary>What one step of an index reads: enough to make a change of threads cheap, and a few hundred kilobytes.</summary>
    private const int EntriesPerStep = 4096;

    /// <inheritdoc/>
    public async IAsyncEnumerable<IndexEntry> IndexAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var ofDirectory = prefix.Length < DirectoryLayout.DirectoryNameLength ? prefix : prefix[..DirectoryLayout.DirectoryNameLength];
        var directories = await RunAsync(ListDirectories, cancellationToken);
        directories.RemoveAll(directory => !directory.StartsWith(ofDirectory, StringComparison.Ordinal));

        // The disk reads the next directories while the last ones are sent.
        for (var next = StartAsync(0); next is not null;)
        {
            var (entries, end) = await next;
            next = end < directories.Count ? StartAsync(end) : null;
            foreach (var entry in entries)
            {
                yield return entry;
            }
        }

        Task<(List<IndexEntry> Entries, int End)> StartAsync(int first)
        {
            var task = RunAsync(
                () =>
                {
                    // A directory holds a 4096th of the volume, so sorting one at a time gives the order of the whole in little memory.
                    var (entries, end) = (new List<IndexEntry>(), first);
                    while (end < directories.Count && entries.Count < EntriesPerStep)
                    {
                        AddSorted(entries, directories[end++], prefix);
                    }

                    // Not from another file system, and not fewer because the disk went away meanwhile.
                    _root.Check();
                    return (entries, end);
                },
                cancellationToken).AsTask();

            // Whoever stops half-way does not hear of it.
            _ = task.ContinueWith(static failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            return task;
        }
    }

    private void AddSorted(List<IndexEntry> entries, string directory, string prefix)
    {
        var first = entries.Count;

        // A block in the wrong directory cannot be read, so it is not listed either.
        var start = Encoding.UTF8.GetBytes(prefix.Length > directory.Length ? prefix : directory);
        try
        {
            _disk.Visit(
                Path.Join(_layout.Root, directory),
                name => name.StartsWith(start) && name.Length == BlockHash.TextLength,
                (name, stat) =>
                {
                    if (BlockHash.TryParse(name, out var hash))
                    {
                        entries.Add(new IndexEntry(hash, stat.SizeBytes, stat.MtimeNanoseconds));
                    }
                });
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return;
        }

        CollectionsMarshal.AsSpan(entries)[first..].Sort(static (a, b) => a.Hash.CompareTo(b.Hash));
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
