using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;
using KeepFs.Engine.Volumes;

namespace KeepFs.Engine.Mounts;

/// <summary>Verifies the copies of one mount and brings good ones from elsewhere. Safe for concurrent use.</summary>
internal sealed class BlockHealer(Mount mount, Keepstore keepstore, BlockBufferPool buffers, ICopyFinder? others, HashService? hashing)
{
    /// <summary>Reads the copy from the medium and hashes it: Absent, Identical or Corrupt, and the bytes that were read.</summary>
    /// <exception cref="KeepException">It cannot be read.</exception>
    public async ValueTask<(CopyState State, long Bytes)> VerifyAsync(BlockHash hash, long sizeBytes, CancellationToken cancellationToken)
    {
        if (sizeBytes > Locator.MaxBlockSizeBytes)
        {
            return (CopyState.Corrupt, 0);
        }

        var (state, buffer) = await ReadAsync(mount, hash, (int)sizeBytes, fromMedium: true, cancellationToken);
        var bytes = buffer?.Length ?? 0;
        buffer?.Release();
        return (state, bytes);
    }

    /// <summary>Writes a good copy; where it came from, or null when there is none.</summary>
    /// <exception cref="KeepException">A place that might have one could not be asked, or the copy could not be written.</exception>
    public async ValueTask<string?> HealAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        KeepException? failure = null;
        foreach (var other in keepstore.Mounts.ForReading(hash).Where(other => other != mount))
        {
            try
            {
                var (state, buffer) = await ReadAsync(other, hash, 0, fromMedium: false, cancellationToken);
                if (state == CopyState.Identical)
                {
                    return await WriteAsync(hash, new FoundCopy(buffer!, other.Uuid), cancellationToken);
                }

                buffer?.Release();
            }
            catch (KeepException e)
            {
                failure = e;
            }
        }

        return others is not null && await others.FindAsync(hash, cancellationToken) is { } found ? await WriteAsync(hash, found, cancellationToken)
            : failure is null ? null : throw failure;
    }

    private async ValueTask<string> WriteAsync(BlockHash hash, FoundCopy copy, CancellationToken cancellationToken)
    {
        try
        {
            await mount.Volume.WriteAsync(hash, copy.Block.Memory, cancellationToken);
            keepstore.Counters.RepairedCopy();
            keepstore.Counters.Wrote(copy.Block.Length);
            return copy.Source;
        }
        finally
        {
            copy.Block.Release();
        }
    }

    private async ValueTask<(CopyState State, BlockBuffer? Buffer)> ReadAsync(Mount from, BlockHash hash, int room, bool fromMedium, CancellationToken cancellationToken)
    {
        while (true)
        {
            var buffer = await buffers.RentAsync(room, cancellationToken);
            var isKept = false;
            try
            {
                var stored = fromMedium && from.Volume is IScrubVolume volume
                    ? await volume.ReadFromMediumAsync(hash, buffer.Capacity, cancellationToken)
                    : await from.Volume.ReadAsync(hash, buffer.Capacity, cancellationToken);
                switch (stored)
                {
                    case null:
                        return (CopyState.Absent, null);
                    case > Locator.MaxBlockSizeBytes:
                        return (CopyState.Corrupt, null);
                    case var size when size > buffer.CapacityBytes:
                        room = (int)size;
                        continue;
                    case var size:
                        buffer.Length = (int)size;
                        var state = await HashJob.ComputeAsync(buffer.Memory, hashing) == hash ? CopyState.Identical : CopyState.Corrupt;
                        isKept = true;
                        return (state, buffer);
                }
            }
            finally
            {
                if (!isKept)
                {
                    buffer.Release();
                }
            }
        }
    }
}
