using System.Runtime.CompilerServices;
using KeepFs.Cli.Transfer;
using KeepFs.Engine.Volumes.Gateway;

namespace KeepFs.Cli.Gateway;

/// <summary>The files of a folder as objects of a directory store, and the tree that a collection of them has.</summary>
/// <param name="folder">Absolute, without symbolic links.</param>
/// <param name="root">Root of the store, which holds the folder.</param>
/// <param name="followLinks">Take what symbolic links point to.</param>
/// <param name="skips">Told what is left out.</param>
internal sealed class DirectoryListing(string folder, string root, bool followLinks, SkipReport skips)
{
    private readonly List<(string Path, ObjectKey? Key)> _entries = [];

    /// <summary>Paths in the collection in walking order; directories have no key. Complete when the listing has ended.</summary>
    public IReadOnlyList<(string Path, ObjectKey? Key)> Entries => _entries;

    /// <summary>Every directory could be read.</summary>
    public bool IsComplete { get; private set; } = true;

    /// <summary>Start of the keys of everything in the folder.</summary>
    public ObjectKey Prefix => new(folder == root ? "" : KeyOf(folder) + "/");

    public async IAsyncEnumerable<ObjectInfo> ListAsync(IObjectSource source, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var walker = new LocalTree(followLinks, Skip);
        var seen = new HashSet<ObjectKey>();
        foreach (var entry in walker.Walk(folder + "/"))
        {
            if (entry.IsDirectory)
            {
                _entries.Add((entry.Path, null));
                continue;
            }

            if (!IsBelow(entry.LocalPath))
            {
                Skip(new SkippedEntry(entry.LocalPath, $"the gateway's folder is {root}, and this is outside of it"));
                continue;
            }

            var key = new ObjectKey(KeyOf(entry.LocalPath));
            if (await DescribeAsync(source, key, entry.LocalPath, cancellationToken) is { } item)
            {
                _entries.Add((entry.Path, key));
                if (seen.Add(key))
                {
                    yield return item;
                }
            }
        }
    }

    private async ValueTask<ObjectInfo?> DescribeAsync(IObjectSource source, ObjectKey key, string path, CancellationToken cancellationToken)
    {
        try
        {
            return await source.StatAsync(key, cancellationToken);
        }
        catch (ObjectUnavailableException e)
        {
            Skip(new SkippedEntry(path, $"it cannot be read: {e.Message}", IsUnread: true));
            return null;
        }
    }

    private void Skip(SkippedEntry skipped)
    {
        IsComplete &= !skipped.IsUnread;
        skips.Add(skipped);
    }

    private bool IsBelow(string path) => root == "/" || path.StartsWith(root + "/", StringComparison.Ordinal);

    private string KeyOf(string path) => root == "/" ? path[1..] : path[(root.Length + 1)..];
}
