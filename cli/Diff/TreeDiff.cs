using System.Globalization;
using System.Runtime.CompilerServices;

namespace KeepFs.Cli.Diff;

/// <summary>What became of a path.</summary>
internal enum ChangeKind
{
    Added,
    Removed,
    Changed,
    Renamed,
}

/// <summary>One difference.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Path">The path; of a renamed file the new one.</param>
/// <param name="Before">On the left side, or null.</param>
/// <param name="After">On the right side, or null.</param>
internal sealed record Change(ChangeKind Kind, string Path, DiffEntry? Before, DiffEntry? After);

/// <summary>Compares two sorted walks in one pass. Holds nothing but the differences, and without the search for renamed files not even those.</summary>
internal sealed class TreeDiff(ContentComparison content)
{
    /// <summary>Removed files of the same size that are tried for an added one, when their references cannot simply be compared.</summary>
    private const int MaxCandidates = 16;

    /// <summary>The differences in the order of <see cref="PathOrder"/>.</summary>
    public async IAsyncEnumerable<Change> CompareAsync(
        IEnumerable<DiffEntry> left, IEnumerable<DiffEntry> right, bool findsRenames, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!findsRenames)
        {
            await foreach (var change in MergeAsync(left, right, cancellationToken))
            {
                yield return change;
            }

            yield break;
        }

        var changes = new List<Change>();
        await foreach (var change in MergeAsync(left, right, cancellationToken))
        {
            changes.Add(change);
        }

        foreach (var change in await PairAsync(changes, cancellationToken))
        {
            yield return change;
        }
    }

    private async IAsyncEnumerable<Change> MergeAsync(IEnumerable<DiffEntry> left, IEnumerable<DiffEntry> right, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var before = left.GetEnumerator();
        using var after = right.GetEnumerator();
        var a = before.MoveNext() ? before.Current : null;
        var b = after.MoveNext() ? after.Current : null;
        while (a is not null || b is not null)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var order = a is null ? 1 : b is null ? -1 : PathOrder.Instance.Compare(a.Path, b.Path);
            if (order == 0 && a!.IsDirectory == b!.IsDirectory)
            {
                if (!await content.IsSameAsync(a, b, cancellationToken))
                {
                    yield return new Change(ChangeKind.Changed, a.Path, a, b);
                }
            }
            else
            {
                // An empty directory that has entries on the other side: those entries say it.
                if (order <= 0 && !IsAbove(a!, b))
                {
                    yield return new Change(ChangeKind.Removed, a!.Path, a, null);
                }

                if (order >= 0 && !IsAbove(b!, a))
                {
                    yield return new Change(ChangeKind.Added, b!.Path, null, b);
                }
            }

            a = order <= 0 ? (before.MoveNext() ? before.Current : null) : a;
            b = order >= 0 ? (after.MoveNext() ? after.Current : null) : b;
        }
    }

    private static bool IsAbove(DiffEntry directory, DiffEntry? next) =>
        directory.IsDirectory && next is not null && next.Path.StartsWith(directory.Path + "/", StringComparison.Ordinal);

    /// <summary>A removed and an added file of the same content are one renamed file. Each is used once; equal base names are preferred.</summary>
    private async Task<List<Change>> PairAsync(List<Change> changes, CancellationToken cancellationToken)
    {
        // Two collections: equal references are found at once. With a local side: files of the same size are tried.
        var areStored = changes.TrueForAll(change => (change.Before ?? change.After)!.LocalPath is null);
        string KeyOf(DiffEntry entry) => areStored ? string.Join(' ', ContentComparison.References(entry.Stored!)) : entry.SizeBytes.ToString(CultureInfo.InvariantCulture);
        var removed = changes.Where(change => change is { Kind: ChangeKind.Removed, Before.SizeBytes: > 0 })
            .GroupBy(change => KeyOf(change.Before!)).ToDictionary(group => group.Key, group => group.ToList(), StringComparer.Ordinal);
        var used = new HashSet<Change>(ReferenceEqualityComparer.Instance);
        var renamed = new Dictionary<Change, Change>(ReferenceEqualityComparer.Instance);
        foreach (var added in changes.Where(change => change is { Kind: ChangeKind.Added, After.SizeBytes: > 0 }))
        {
            var candidates = (removed.GetValueOrDefault(KeyOf(added.After!)) ?? []).Where(change => !used.Contains(change));
            foreach (var candidate in candidates.OrderBy(change => NameOf(change.Path) != NameOf(added.Path)).Take(MaxCandidates))
            {
                if (await content.IsSameAsync(candidate.Before!, added.After!, cancellationToken))
                {
                    used.Add(candidate);
                    renamed.Add(added, new Change(ChangeKind.Renamed, added.Path, candidate.Before, added.After));
                    break;
                }
            }
        }

        return [.. changes.Where(change => !used.Contains(change)).Select(change => renamed.GetValueOrDefault(change) ?? change)];
    }

    private static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];
}
