using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.FileSystems;

/// <summary>Memory for unsaved data, and what happens when there is none and keepstores do not take what is there (decision 0026).</summary>
public sealed partial class CollectionFileSystem
{
    /// <summary>
    /// Memory for unsaved data. When the budget is spent the writer waits for the full blocks that are on their way to keepstores; only when there are none,
    /// what is half full goes there too; and when keepstores do not take it, it is put aside on the journal's disk.
    /// </summary>
    /// <exception cref="FsException">Neither keepstores nor the disk took anything for <see cref="CollectionOptions.MaxMemoryWait"/>, or the keepstores are full.</exception>
    private async ValueTask<BlockBuffer> RentAsync(int bytes, CancellationToken cancellationToken)
    {
        long? started = null;
        while (true)
        {
            if (Services.WritePool.TryRent(bytes) is { } buffer)
            {
                return buffer;
            }

            if (Services.Open.NextUpload is { } upload)
            {
                await upload.WaitAsync(cancellationToken);
                continue;
            }

            started ??= Services.Time.GetTimestamp();
            try
            {
                await Services.Open.FlushAsync(this, cancellationToken);
                if (await RentForAWhileAsync(bytes, cancellationToken) is { } rented)
                {
                    return rented;
                }
            }
            catch (FsException e) when (e.Error != FsError.NoSpace && Services.Time.GetElapsedTime(started.Value) < Services.Options.MaxMemoryWait)
            {
                if (!await Services.Open.SpillAsync(Services, bytes, cancellationToken))
                {
                    await Task.Delay(Services.Options.RetryDelay, Services.Time, cancellationToken);
                }
            }
        }
    }

    /// <summary>Waits in line: others have flushed memory as well, and what could not be flushed is not waited for without end.</summary>
    private async ValueTask<BlockBuffer?> RentForAWhileAsync(int bytes, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Services.Options.RetryDelay, Services.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await Services.WritePool.RentAsync(bytes, both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await Services.Open.SpillAsync(Services, bytes, cancellationToken);
            return null;
        }
    }

    /// <summary>Puts what is in memory and not on its way anywhere into the file. Returns the bytes of memory that are free now.</summary>
    /// <exception cref="IOException">The disk does not take it; what was put aside before stays so.</exception>
    internal long Spill(SpillFile file)
    {
        List<MemorySegment> segments = [];
        lock (Lock)
        {
            foreach (var segment in WithMemory.SelectMany(written => written.ContentInMemory?.Unstored ?? []).Where(segment => segment is { IsInMemory: true, Upload: null }))
            {
                segment.Seal();
                segment.Hold();
                segments.Add(segment);
            }
        }

        var freed = 0L;
        try
        {
            foreach (var segment in segments)
            {
                BlockBuffer bytes;
                lock (Lock)
                {
                    if (segment is not { IsInMemory: true, Upload: null })
                    {
                        continue;
                    }

                    bytes = segment.Borrow();
                }

                long offset;
                try
                {
                    offset = file.Append(bytes.Capacity.Span[..segment.Length]);
                }
                finally
                {
                    bytes.Release();
                }

                lock (Lock)
                {
                    if (segment is { IsInMemory: true, Upload: null })
                    {
                        freed += segment.CapacityBytes;
                        segment.SpillTo(file, offset);
                    }
                }
            }
        }
        finally
        {
            lock (Lock)
            {
                segments.ForEach(segment => segment.Drop());
            }
        }

        return freed;
    }

    /// <summary>The bytes of a sealed segment whose upload is the caller's; to be disposed.</summary>
    private async ValueTask<BlockLease> BytesAsync(MemorySegment segment, CancellationToken cancellationToken)
    {
        if (segment.Spilled is not { } place)
        {
            return BlockLease.Unowned(segment.Memory);
        }

        var buffer = await Services.PackPool.RentAsync(segment.Length, cancellationToken);
        try
        {
            place.File.Read(buffer.Capacity.Span[..segment.Length], place.Offset);
            return new BlockLease(buffer, 0, segment.Length);
        }
        catch
        {
            buffer.Release();
            throw;
        }
    }
}
