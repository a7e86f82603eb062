using System.Diagnostics;
using System.Runtime.CompilerServices;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;
using KeepFs.Engine.Volumes;

namespace KeepFs.Engine.Mounts;

/// <summary>
/// Blocks over several mounts: reads fall through absent, failing and corrupt copies to a good one, writes satisfy storage classes
/// and repair corrupt copies. Nothing unverified leaves it. Safe for concurrent use; disposing it disposes the volumes.
/// </summary>
/// <param name="mounts">Where the blocks are.</param>
/// <param name="buffers">Memory for blocks that are read.</param>
/// <param name="events">Told what is wrong with copies.</param>
/// <param name="hashing">Hashes blocks of several requests together, owned by the caller; null: each request hashes its own.</param>
/// <param name="verified">What was verified lately, with the same pool, owned by the caller; null: every read reads and hashes.</param>
public sealed partial class Keepstore(
    MountTable mounts, BlockBufferPool buffers, IKeepstoreEvents events, HashService? hashing = null, VerifiedCache? verified = null) : IAsyncDisposable
{
    /// <summary>Smaller blocks are faster from the memory of those that were verified.</summary>
    private const int LeastOpenedBytes = 1 << 20;

    /// <summary>The mounts.</summary>
    public MountTable Mounts { get; } = mounts;

    /// <summary>What happened so far.</summary>
    public KeepstoreCounters Counters { get; } = new();

    /// <summary>Starts to hash a block that is about to arrive in this memory.</summary>
    public HashJob StartHash(ReadOnlyMemory<byte> room) => new(room, hashing);

    /// <summary>
    /// Reads a whole verified block into a rented buffer; the caller releases it. A size hint saves asking for the size, and a wrong
    /// one is no error here: the buffer has the length of the real block.
    /// </summary>
    /// <exception cref="KeepException">
    /// NotFound: on no mount. Corrupt: only bad copies. Unavailable: a mount failed and no other has it. Overloaded: no memory.
    /// </exception>
    public ValueTask<BlockBuffer> ReadAsync(BlockHash hash, int sizeHintBytes, CancellationToken cancellationToken) =>
        verified?.Blocks.TryGet(hash) is { } block ? ValueTask.FromResult(block)
            : FindAsync(hash, static (self, mount, hash, sizeHintBytes, cancellationToken) => self.ReadVerifiedAsync(mount, hash, sizeHintBytes, cancellationToken), sizeHintBytes, cancellationToken)!;

    /// <summary>
    /// A copy of the announced size as it is on its volume, not verified, for a client who has said that it verifies what arrives (decision 0043). Null when it had
    /// better be read with <see cref="ReadAsync"/>, which also says what is wrong.
    /// </summary>
    public async ValueTask<BlockFile?> TryOpenAsync(BlockHash hash, int sizeBytes, CancellationToken cancellationToken)
    {
        if (sizeBytes is < LeastOpenedBytes or > Locator.MaxBlockSizeBytes || verified?.Blocks.Has(hash) == true)
        {
            return null;
        }

        try
        {
            foreach (var mount in Mounts.ForReading(hash))
            {
                if (mount.Volume is not IFileVolume volume)
                {
                    return null;
                }

                if (await volume.OpenAsync(hash, cancellationToken) is { } file)
                {
                    if (file.SizeBytes == sizeBytes)
                    {
                        Counters.Read(sizeBytes);
                        return file;
                    }

                    file.Dispose();
                    return null;
                }
            }
        }
        catch (KeepException)
        {
            // Reading meets it again, and reports it.
        }

        return null;
    }

    /// <summary>
    /// Makes sure that a mount has a good copy, and tells its size. A file that was hashed before and has not changed since is good; anything else is read.
    /// </summary>
    /// <exception cref="KeepException">As <see cref="ReadAsync"/>.</exception>
    public async ValueTask<int> VerifyAsync(BlockHash hash, int sizeHintBytes, CancellationToken cancellationToken) =>
        await FindAsync<int?>(hash, static (self, mount, hash, sizeHintBytes, cancellationToken) => self.VerifyOnAsync(mount, hash, sizeHintBytes, cancellationToken), sizeHintBytes, cancellationToken)
            ?? throw new UnreachableException();

    /// <summary>Asks the mounts in reading order until one has what is wanted.</summary>
    private async ValueTask<T> FindAsync<T>(
        BlockHash hash, Func<Keepstore, Mount, BlockHash, int, CancellationToken, ValueTask<T?>> read, int sizeHintBytes, CancellationToken cancellationToken)
    {
        KeepException? failure = null;
        foreach (var mount in Mounts.ForReading(hash))
        {
            try
            {
                if (await read(this, mount, hash, sizeHintBytes, cancellationToken) is { } found)
                {
                    return found;
                }
            }
            catch (KeepException e) when (e.Kind == KeepErrorKind.Corrupt)
            {
                Counters.CorruptCopy();
                events.CorruptCopy(hash, mount.Uuid, e.Message);
                failure = e;
            }
            catch (KeepException e) when (e.Kind != KeepErrorKind.Overloaded)
            {
                Counters.FailedRead();
                events.FailedRead(hash, mount.Uuid, e);

                // A bad copy tells more than a mount that does not answer.
                failure = failure?.Kind == KeepErrorKind.Corrupt ? failure : e;
            }
        }

        throw failure ?? new KeepException(KeepErrorKind.NotFound, $"Block {hash} is on none of the {Mounts.All.Count} mounts.");
    }

    /// <summary>Refreshes the mtime on the first writable mount that has the block; false when none has.</summary>
    /// <exception cref="KeepException">A mount failed and no other has it.</exception>
    public async ValueTask<bool> TouchAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        KeepException? failure = null;
        foreach (var mount in Mounts.Writable)
        {
            try
            {
                if (await mount.Volume.TouchAsync(hash, cancellationToken))
                {
                    return true;
                }
            }
            catch (KeepException e)
            {
                failure = e;
            }
        }

        return failure is null ? false : throw failure;
    }

    /// <summary>Trashes the block wherever that is allowed and it is old enough; false when no such mount has it.</summary>
    /// <exception cref="KeepException">A mount failed; the others were still tried.</exception>
    public ValueTask<bool> TrashAsync(BlockHash hash, CancellationToken cancellationToken) => OnEveryAsync(
        Mounts.All.Where(mount => mount.AllowTrash),
        async mount =>
        {
            var outcome = await mount.Volume.TrashAsync(hash, cancellationToken);
            Forget(hash);
            return outcome != TrashOutcome.NotFound;
        },
        failsIfAnyFailed: true);

    /// <summary>A copy was taken from a volume: the next read looks for it there.</summary>
    public void Forget(BlockHash hash) => verified?.Blocks.Remove(hash);

    /// <summary>Recovers the block from the trash of every writable mount; false when none has it there.</summary>
    /// <exception cref="KeepException">A mount failed and none recovered it.</exception>
    public ValueTask<bool> UntrashAsync(BlockHash hash, CancellationToken cancellationToken) =>
        OnEveryAsync(Mounts.Writable, mount => mount.Volume.UntrashAsync(hash, cancellationToken), failsIfAnyFailed: false);

    /// <summary>The index of the given mounts, one after another, each in hash order. Throws rather than ending early.</summary>
    public static async IAsyncEnumerable<IndexEntry> IndexAsync(
        IReadOnlyList<Mount> mounts, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var mount in mounts)
        {
            await foreach (var entry in mount.Volume.IndexAsync(prefix, cancellationToken))
            {
                yield return entry;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var mount in Mounts.All)
        {
            await mount.Volume.DisposeAsync();
        }
    }

    private static async ValueTask<bool> OnEveryAsync(IEnumerable<Mount> mounts, Func<Mount, ValueTask<bool>> work, bool failsIfAnyFailed)
    {
        var found = false;
        KeepException? failure = null;
        foreach (var mount in mounts)
        {
            try
            {
                found |= await work(mount);
            }
            catch (KeepException e)
            {
                failure = e;
            }
        }

        return failure is not null && (failsIfAnyFailed || !found) ? throw failure : found;
    }

    private async ValueTask<BlockBuffer?> ReadVerifiedAsync(Mount mount, BlockHash hash, int sizeHintBytes, CancellationToken cancellationToken)
    {
        var room = Math.Min(sizeHintBytes, Locator.MaxBlockSizeBytes);
        var verifying = mount.Volume as IVerifyingVolume;
        while (true)
        {
            var buffer = await buffers.RentAsync(room, cancellationToken);
            var isGood = false;
            try
            {
                var (stored, identity) = verifying is not null ? (await verifying.ReadVerifiedAsync(hash, room, buffer.Capacity, cancellationToken), (FileIdentity?)null)
                    : mount.Volume is IFileVolume file && verified is not null
                    ? await file.ReadIdentifiedAsync(hash, buffer.Capacity, cancellationToken) is var (count, which) ? (count, which) : (null, null)
                    : (await mount.Volume.ReadAsync(hash, buffer.Capacity, cancellationToken), null);
                if (stored is not { } size)
                {
                    return null;
                }

                if (size > Locator.MaxBlockSizeBytes)
                {
                    throw new StoredBlockTooLargeException(hash, size);
                }

                if (size > buffer.CapacityBytes)
                {
                    // The hint was missing or wrong, or the copy is. Never hold two buffers: that could deadlock the budget.
                    room = (int)size;
                    continue;
                }

                buffer.Length = (int)size;
                isGood = verifying is not null || (identity is { } same && verified!.Files.Knows(mount.Uuid, hash, same))
                    || await HashJob.ComputeAsync(buffer.Memory, hashing) == hash;
                if (!isGood)
                {
                    throw new KeepException(KeepErrorKind.Corrupt, $"The bytes stored for {hash} have another hash.");
                }

                Remember(mount, hash, identity, buffer);
                return buffer;
            }
            finally
            {
                if (!isGood)
                {
                    buffer.Release();
                }
            }
        }
    }

    private async ValueTask<int?> VerifyOnAsync(Mount mount, BlockHash hash, int sizeHintBytes, CancellationToken cancellationToken)
    {
        if (verified is not null && mount.Volume is IFileVolume volume)
        {
            if (await volume.IdentifyAsync(hash, cancellationToken) is not { } identity)
            {
                return null;
            }

            if (verified.Files.Knows(mount.Uuid, hash, identity))
            {
                return (int)identity.SizeBytes;
            }
        }

        if (await ReadVerifiedAsync(mount, hash, sizeHintBytes, cancellationToken) is not { } block)
        {
            return null;
        }

        var length = block.Length;
        block.Release();
        return length;
    }

    private void Remember(Mount mount, BlockHash hash, FileIdentity? identity, BlockBuffer block)
    {
        Counters.Read(block.Length);
        verified?.Blocks.Add(hash, block);
        if (identity is { } known)
        {
            verified?.Files.Add(mount.Uuid, hash, known);
        }
    }
}
