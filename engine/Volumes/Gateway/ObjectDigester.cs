using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>
/// Reads an object once, from its start to its end, and hashes its segments (keep-gateway.md 5). A segment is hashed while the next is
/// read, as far as there is memory. Safe for concurrent use.
/// </summary>
internal sealed class ObjectDigester(
    IObjectSource source, BlockBufferPool buffers, HashService? hashing, TimeSpan progressTimeout, TimeProvider time, Action<long> progress)
{
    /// <summary>What an object that nobody writes any more settles in; more tries would only wait for a busy writer.</summary>
    private const int Attempts = 2;

    /// <summary>Null: it is gone.</summary>
    /// <exception cref="ObjectUnavailableException">It cannot be read, or changes while it is read.</exception>
    public async ValueTask<CataloguedObject?> DigestAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var stall = new CancellationTokenSource(progressTimeout, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stall.Token);
            try
            {
                if (await source.StatAsync(key, both.Token) is not { } item)
                {
                    return null;
                }

                var entry = await TryAsync(item, stall, both.Token);
                if (entry is not null && await source.StatAsync(key, both.Token) is { } after && IsSame(after, item))
                {
                    // As it is now: a file may have settled meanwhile.
                    return entry with { Info = item };
                }
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new ObjectUnavailableException($"nothing came for {progressTimeout.TotalSeconds} s");
            }

            if (attempt == Attempts)
            {
                throw new ObjectUnavailableException("it changed while it was being read; try again when nobody writes it");
            }
        }
    }

    // The doubt about a young file's version may end between two looks.
    private static bool IsSame(ObjectInfo a, ObjectInfo b) => a with { ETag = a.ETag.TrimEnd('?') } == b with { ETag = b.ETag.TrimEnd('?') };

    /// <summary>Null: it has become shorter or another one.</summary>
    private async ValueTask<CataloguedObject?> TryAsync(ObjectInfo item, CancellationTokenSource stall, CancellationToken cancellationToken)
    {
        await using var reader = await source.OpenAsync(item.Key, 0, item.SizeBytes, cancellationToken);
        if (reader is null || !IsSame(reader.Info, item))
        {
            return null;
        }

        var segments = new List<ObjectSegment>();
        PendingSegment? pending = null;
        try
        {
            long offset = 0;
            do
            {
                var length = (int)Math.Min(Locator.MaxBlockSizeBytes, item.SizeBytes - offset);
                var buffer = buffers.TryRent(length);
                if (buffer is null)
                {
                    // Never waiting for a second buffer with one in hand: all readers could do that at once.
                    await LandAsync();
                    buffer = await buffers.RentAsync(length, cancellationToken);
                }

                var segment = new PendingSegment(buffer, offset, length, hashing);
                var isRead = false;
                try
                {
                    isRead = await FillAsync(reader, segment, stall, cancellationToken);
                }
                finally
                {
                    if (!isRead)
                    {
                        await segment.DisposeAsync();
                    }
                }

                await LandAsync();
                if (!isRead)
                {
                    return null;
                }

                (pending, offset) = (segment, offset + length);
            }
            while (offset < item.SizeBytes);

            await LandAsync();
        }
        finally
        {
            if (pending is not null)
            {
                await pending.DisposeAsync();
            }
        }

        return new CataloguedObject(item, segments);

        async ValueTask LandAsync()
        {
            if (pending is { } segment)
            {
                segments.Add(new ObjectSegment(segment.Offset, segment.Length, await segment.Hash));
                pending = null;
                await segment.DisposeAsync();
            }
        }
    }

    private async ValueTask<bool> FillAsync(IObjectReader reader, PendingSegment segment, CancellationTokenSource stall, CancellationToken cancellationToken)
    {
        for (var received = 0; received < segment.Length;)
        {
            var count = await reader.ReadAsync(segment.Memory[received..segment.Length], cancellationToken);
            if (count == 0)
            {
                return false;
            }

            received += count;
            segment.Advance(received);
            progress(count);
            stall.CancelAfter(progressTimeout);
        }

        segment.Finish();
        return true;
    }

    /// <summary>A segment in memory whose hash is being computed.</summary>
    private sealed class PendingSegment(BlockBuffer buffer, long offset, int length, HashService? hashing) : IAsyncDisposable
    {
        private readonly HashJob _job = new(buffer.Capacity, hashing);

        public long Offset => offset;

        public int Length => length;

        public Memory<byte> Memory => buffer.Capacity;

        public Task<BlockHash> Hash { get; private set; } = Task.FromException<BlockHash>(new InvalidOperationException("The segment is not read yet."));

        public void Advance(int bytes) => _job.Advance(bytes);

        public void Finish() => Hash = _job.FinishAsync().AsTask();

        public async ValueTask DisposeAsync()
        {
            await _job.DisposeAsync();
            buffer.Release();
        }
    }
}
