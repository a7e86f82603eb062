using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

public sealed partial class DirectoryVolume
{
    // No upload takes a day: what is older was left by a crash.
    private static readonly TimeSpan StaleTemporaryAge = TimeSpan.FromHours(24);

    /// <inheritdoc/>
    public ValueTask<TrashOutcome> TrashAsync(BlockHash hash, CancellationToken cancellationToken) => RunAsync(() =>
    {
        var path = _layout.Block(hash);
        using var copy = LockCopy(hash);

        // By path and under the lock: a touch or write that came first is seen here, one that comes later fails or starts afresh.
        if (copy is null || _disk.Stat(path) is not { } stat)
        {
            return TrashOutcome.NotFound;
        }

        if (_trash.IsTooYoung(stat.MtimeNanoseconds))
        {
            return TrashOutcome.TooYoung;
        }

        if (_trash.Lifetime <= TimeSpan.Zero)
        {
            _disk.Delete(path);
        }
        else
        {
            _disk.Rename(path, _layout.Trash(hash, _trash.DeadlineSeconds));
        }

        return TrashOutcome.Trashed;
    }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> UntrashAsync(BlockHash hash, CancellationToken cancellationToken) => RunAsync(() =>
    {
        var generation = _root.Check();
        var directory = _layout.DirectoryOf(hash);
        DiskException? failure = null;
        foreach (var name in ListIfThere(directory).Where(name => DirectoryLayout.IsTrashOf(hash, name)).Order(StringComparer.Ordinal))
        {
            try
            {
                _disk.RenameToNew(Path.Join(directory, name), _layout.Block(hash));
            }
            catch (DiskException e) when (e.Error != DiskError.Exists)
            {
                failure = e;
                continue;
            }
            catch (DiskException)
            {
                // A copy is there already, and stays.
            }

            MakeNameDurable(hash, generation);
            return true;
        }

        // Upstream reports success here; then nobody learns that the block is still on its way out.
        return failure is null ? false : throw failure;
    }, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<TrashTotals> EmptyTrashAsync(int concurrency, CancellationToken cancellationToken)
    {
        var totals = default(TrashTotals);
        var adding = new Lock();
        var directories = await RunAsync(ListDirectories, cancellationToken);
        await RunAsync(() => _full.RemoveLeftovers(StaleTemporaryAge), cancellationToken);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(directories, parallel, async (directory, token) =>
        {
            var part = await RunAsync(() => EmptyDirectory(Path.Join(_layout.Root, directory)), token);
            lock (adding)
            {
                totals += part;
            }
        });
        return totals;
    }

    private TrashTotals EmptyDirectory(string directory)
    {
        var totals = default(TrashTotals);
        var now = _trash.Time.GetUtcNow();
        IReadOnlyList<string> names;
        try
        {
            names = ListIfThere(directory);
        }
        catch (DiskException)
        {
            return new TrashTotals(0, 0, 0, 0, 0, Failures: 1);
        }

        foreach (var name in names)
        {
            var isTrash = DirectoryLayout.TryParseTrash(name, out var deadlineSeconds);
            if (!isTrash && !name.StartsWith(DirectoryLayout.TemporaryPrefix, StringComparison.Ordinal))
            {
                continue;
            }

            var path = Path.Join(directory, name);
            try
            {
                // Gone meanwhile: untrashed, renamed, or deleted by another keepstore.
                if (_disk.Stat(path) is not { } stat)
                {
                    continue;
                }

                if (isTrash && deadlineSeconds > now.ToUnixTimeSeconds())
                {
                    totals += new TrashTotals(0, 0, 1, stat.SizeBytes, 0, 0);
                }
                else if (isTrash)
                {
                    _disk.Delete(path);
                    totals += new TrashTotals(1, stat.SizeBytes, 0, 0, 0, 0);
                }
                else if (_trash.NowNanoseconds - stat.MtimeNanoseconds > StaleTemporaryAge.Ticks * TimeSpan.NanosecondsPerTick)
                {
                    _disk.Delete(path);
                    totals += new TrashTotals(0, 0, 0, 0, 1, 0);
                }
            }
            catch (DiskException)
            {
                totals += new TrashTotals(0, 0, 0, 0, 0, 1);
            }
        }

        return totals;
    }
}
