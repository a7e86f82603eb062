using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>Flush: from memory to keepstores. Nothing is named in the catalogue by it.</summary>
public sealed partial class CollectionFileSystem
{
    private Locator? _zeroBlock;

    /// <summary>Stores everything that is in memory now and gives the memory back.</summary>
    /// <exception cref="FsException">Not enough copies could be written.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        List<MemorySegment> segments = [];
        lock (Lock)
        {
            foreach (var segment in WithMemory.SelectMany(file => file.ContentInMemory?.Unstored ?? []))
            {
                segment.Seal();
                segment.Hold();
                segments.Add(segment);
            }
        }

        try
        {
            await UploadAsync(segments, cancellationToken);
        }
        catch (KeepException e)
        {
            throw Translate(e);
        }
        finally
        {
            lock (Lock)
            {
                segments.ForEach(segment => segment.Drop());
            }
        }
    }

    /// <summary>Starts storing a full segment behind the writer's back; what fails here is tried again by the next flush.</summary>
    private void StartUpload(MemorySegment segment) => Services.Open.Add(UploadBehindAsync(segment));

    private async Task UploadBehindAsync(MemorySegment segment)
    {
        lock (Lock)
        {
            segment.Hold();
        }

        try
        {
            await UploadAsync([segment], _closing.Token);
        }
        catch (Exception e) when (e is KeepException or OperationCanceledException)
        {
            Services.Log($"collection {Uuid}: a block could not be stored yet: {e.Message}");
        }
        finally
        {
            lock (Lock)
            {
                segment.Drop();
            }
        }
    }

    /// <summary>Stores sealed segments that the caller holds; those that somebody else is storing are waited for.</summary>
    private async Task UploadAsync(IReadOnlyList<MemorySegment> segments, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        List<MemorySegment> mine;
        Task[] others;
        lock (Lock)
        {
            others = [.. segments.Where(segment => segment.Stored is null && segment.Upload is not null).Select(segment => segment.Upload!).Distinct()];
            mine = [.. segments.Where(segment => segment.Stored is null && segment.Upload is null).Distinct()];
            mine.ForEach(segment => segment.Upload = done.Task);
        }

        try
        {
            var small = mine.Where(segment => segment.Length <= BlockPacker.MaxPieceBytes).ToList();
            var alone = mine.Except(small.Count > 1 ? small : []).Select(segment => UploadAloneAsync(segment, cancellationToken));
            await Task.WhenAll(alone.Append(small.Count > 1 ? PackAsync(small, cancellationToken) : Task.CompletedTask));
            done.SetResult();
        }
        catch (Exception e)
        {
            lock (Lock)
            {
                mine.ForEach(segment => segment.Upload = null);
            }

            done.SetException(e);
            _ = done.Task.Exception;
            throw;
        }

        await Task.WhenAll(others).WaitAsync(cancellationToken);
    }

    private async Task UploadAloneAsync(MemorySegment segment, CancellationToken cancellationToken)
    {
        await _uploads.WaitAsync(cancellationToken);
        try
        {
            using var bytes = await BytesAsync(segment, cancellationToken);
            var written = await Services.Store.WriteAsync(bytes.Memory, Services.Options.Write, cancellationToken);
            lock (Lock)
            {
                SetStored(segment, new ManifestSegment(written.Locator, 0, segment.Length));
            }
        }
        finally
        {
            _uploads.Release();
        }
    }

    private async Task PackAsync(List<MemorySegment> segments, CancellationToken cancellationToken)
    {
        await using var packer = new BlockPacker(Services.Store, Services.PackPool, Services.Options.Write, maxWrites: 1);
        var pieces = new List<PackedPiece>(segments.Count);
        foreach (var segment in segments)
        {
            pieces.Add(await packer.AddAsync(
                segment.Length,
                (destination, _) =>
                {
                    if (segment.Spilled is { } place)
                    {
                        place.File.Read(destination.Span, place.Offset);
                    }
                    else
                    {
                        segment.Memory.CopyTo(destination);
                    }

                    return default;
                },
                cancellationToken));
        }

        await packer.FlushAsync(cancellationToken);
        lock (Lock)
        {
            for (var i = 0; i < segments.Count; i++)
            {
                SetStored(segments[i], pieces[i].Segment!.Value);
            }
        }
    }

    /// <summary>The stored segments of a snapshot whose memory has been uploaded.</summary>
    private async Task<ManifestSegment[]> StoredSegmentsAsync(Extent[] extents, CancellationToken cancellationToken)
    {
        var segments = new List<ManifestSegment>(extents.Length);
        foreach (var extent in extents)
        {
            if (!extent.IsHole)
            {
                segments.Add(extent.Stored!.Value);
                continue;
            }

            var zeros = await ZeroBlockAsync(cancellationToken);
            for (var left = extent.Length; left > 0; left -= zeros.SizeBytes)
            {
                segments.Add(new ManifestSegment(zeros, 0, (int)Math.Min(left, zeros.SizeBytes)));
            }
        }

        return [.. segments];
    }

    /// <summary>The block of 64 MiB zeros that stands for holes; stored when first needed. Only one save at a time gets here.</summary>
    private async Task<Locator> ZeroBlockAsync(CancellationToken cancellationToken)
    {
        if (_zeroBlock is { } known)
        {
            return known;
        }

        var buffer = await Services.PackPool.RentAsync(Locator.MaxBlockSizeBytes, cancellationToken);
        try
        {
            buffer.Capacity.Span.Clear();
            var written = await Services.Store.WriteAsync(buffer.Memory, Services.Options.Write, cancellationToken);
            _zeroBlock = written.Locator;
            return written.Locator;
        }
        finally
        {
            buffer.Release();
        }
    }

    private static FsException Translate(KeepException e) => new(e.Kind switch
    {
        KeepErrorKind.Full => FsError.NoSpace,
        KeepErrorKind.PermissionDenied => FsError.Unauthorized,
        _ => FsError.InputOutput,
    }, e.Message, e);
}
