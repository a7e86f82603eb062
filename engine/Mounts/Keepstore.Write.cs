using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Engine.Mounts;

public sealed partial class Keepstore
{
    /// <summary>
    /// Stores a block whose hash the caller has computed from these very bytes. A copy that is there already is compared and touched
    /// instead of written; a corrupt one is overwritten. Storing fewer classes than asked for is success: see the result.
    /// </summary>
    /// <param name="hash">MD5 of <paramref name="data"/>.</param>
    /// <param name="data">Must not change until the task is complete.</param>
    /// <param name="storageClasses">Classes wanted; empty = one copy anywhere.</param>
    /// <param name="cancellationToken">Stops before the next durable step.</param>
    /// <exception cref="KeepException">
    /// Nothing was stored. Full: every candidate is full, or there is none. Unavailable: one failed otherwise. Collision: other
    /// bytes with this hash are stored.
    /// </exception>
    public async ValueTask<StoredBlock> WriteAsync(
        BlockHash hash, ReadOnlyMemory<byte> data, IReadOnlyList<string> storageClasses, CancellationToken cancellationToken)
    {
        var order = Mounts.ForWriting(hash);
        var plan = new WritePlan(storageClasses);
        var damaged = await TouchIdenticalAsync(order, plan, hash, data, cancellationToken);
        KeepException? failure = null;
        var running = new List<(Mount Mount, Task<KeepException?> Task)>();
        foreach (var mount in order.Where(mount => !plan.Used.Contains(mount)))
        {
            // A write that only a running one may make unnecessary waits for that one's outcome.
            while (!damaged.Contains(mount) && plan.Wants(mount) && !plan.Wants(mount, running.Select(write => write.Mount)))
            {
                await FinishOneAsync();
            }

            if (damaged.Contains(mount) || plan.Wants(mount))
            {
                running.Add((mount, WriteToAsync(mount, hash, data, damaged.Contains(mount), cancellationToken)));
            }
        }

        while (running.Count > 0)
        {
            await FinishOneAsync();
        }

        // Some writes may have been cancelled half-way; whatever else was stored, the caller is no longer there.
        cancellationToken.ThrowIfCancellationRequested();
        return plan.Used.Count > 0 ? plan.Result() : throw failure ?? new KeepException(KeepErrorKind.Full, $"No writable volume has room for {hash}.");

        async Task FinishOneAsync()
        {
            await Task.WhenAny(running.Select(write => write.Task));
            var done = running.FindIndex(write => write.Task.IsCompleted);
            var (mount, task) = running[done];
            running.RemoveAt(done);
            if (await task is not { } problem)
            {
                plan.Used.Add(mount);
            }
            else if (failure is null || problem.Kind != KeepErrorKind.Full)
            {
                failure = problem;
            }
        }
    }

    /// <summary>
    /// Compare and touch (6.1). Touching before writing closes the race with trash: either the touch wins and the block stays, or it
    /// fails and the block is written again. Returns the mounts whose copy is corrupt.
    /// </summary>
    private async ValueTask<HashSet<Mount>> TouchIdenticalAsync(
        IReadOnlyList<Mount> order, WritePlan plan, BlockHash hash, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var damaged = new HashSet<Mount>();
        foreach (var mount in order)
        {
            if (!plan.Wants(mount))
            {
                continue;
            }

            try
            {
                switch (await mount.Volume.CompareAsync(hash, data, cancellationToken))
                {
                    case CopyState.Identical when await mount.Volume.TouchAsync(hash, cancellationToken):
                        plan.Used.Add(mount);
                        break;
                    case CopyState.Corrupt:
                        Counters.CorruptCopy();
                        events.CorruptCopy(hash, mount.Uuid, "found while storing the block again");
                        damaged.Add(mount);
                        break;
                    case CopyState.Collision:
                        throw new KeepException(KeepErrorKind.Collision, $"Other bytes with the hash {hash} are stored on {mount.Uuid}.");
                }
            }
            catch (KeepException e) when (e.Kind != KeepErrorKind.Collision)
            {
                // Unreadable counts as absent: the write below will tell whether the mount works.
                Counters.FailedRead();
                events.FailedRead(hash, mount.Uuid, e);
            }
        }

        return damaged;
    }

    private async Task<KeepException?> WriteToAsync(Mount mount, BlockHash hash, ReadOnlyMemory<byte> data, bool isRepair, CancellationToken cancellationToken)
    {
        try
        {
            await mount.Volume.WriteAsync(hash, data, cancellationToken);
            Counters.Wrote(data.Length);
            if (isRepair)
            {
                Counters.RepairedCopy();
                events.RepairedCopy(hash, mount.Uuid);
            }

            return null;
        }
        catch (OperationCanceledException e)
        {
            return new KeepException(KeepErrorKind.Unavailable, $"Writing {hash} was cancelled.", e);
        }
        catch (Exception e)
        {
            // As a value, so that nobody leaves while another write still uses the caller's memory.
            Counters.FailedWrite();
            events.FailedWrite(hash, mount.Uuid, e);
            return e as KeepException ?? new KeepException(KeepErrorKind.Unavailable, $"Cannot write {hash} to {mount.Uuid}: {e.Message}", e);
        }
    }

    /// <summary>Which mounts are still wanted (6.2). Without classes one copy anywhere is.</summary>
    private sealed class WritePlan(IReadOnlyList<string> classes)
    {
        public List<Mount> Used { get; } = [];

        public bool Wants(Mount mount, IEnumerable<Mount>? alsoUsed = null)
        {
            var used = alsoUsed is null ? Used : Used.Concat(alsoUsed);
            return classes.Count == 0
                ? !used.Any()
                : classes.Any(name => mount.StorageClasses.Contains(name) && !used.Any(other => other.StorageClasses.Contains(name)));
        }

        public StoredBlock Result()
        {
            var confirmed = new SortedDictionary<string, int>(StringComparer.Ordinal);
            foreach (var mount in Used)
            {
                foreach (var name in mount.StorageClasses)
                {
                    confirmed[name] = confirmed.GetValueOrDefault(name) + mount.Replication;
                }
            }

            return new StoredBlock(Used.Sum(mount => mount.Replication), confirmed);
        }
    }
}
