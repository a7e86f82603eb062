using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

public sealed partial class CollectionFileSystem
{
    /// <summary>Gaps up to this size are written as zeros; larger ones refer to a stored block of zeros (mount.md section 5).</summary>
    private const int MaxWrittenGapBytes = 1 << 20;

    internal async ValueTask<BlockLease> ReadAsync(CollectionFile file, long offset, int length, CancellationToken cancellationToken)
    {
        SegmentReader? reader = null;
        List<Part> parts = [];
        lock (Lock)
        {
            length = (int)Math.Clamp(file.SizeBytes - offset, 0, length);
            if (length == 0)
            {
                return BlockLease.Unowned(default);
            }

            if (file.ContentInMemory is { } content)
            {
                parts = Peek(content.Cover(offset, length));
            }
            else
            {
                reader = file.Reader;
            }
        }

        return reader is not null ? await ReadStoredAsync(reader, offset, length, cancellationToken)
            : parts is [{ Spill: null, Extent.Stored: { } only }] ? await FetchAsync(only, cancellationToken)
            : await CopyAsync(parts, length, cancellationToken);
    }

    internal void Prefetch(CollectionFile file, long offset, int blocks)
    {
        SegmentReader? reader = null;
        lock (Lock)
        {
            if (!file.IsDirty && file.ContentInMemory is null)
            {
                reader = file.Reader;
            }
        }

        reader?.Prefetch(Services.Store, offset, blocks);
    }

    internal async ValueTask WriteAsync(CollectionFile file, long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (offset < 0 || offset > long.MaxValue - data.Length)
        {
            throw new FsException(FsError.TooLarge, $"\"{file.Name}\" cannot be that large.");
        }

        ThrowIfFailing(file);
        if (data.IsEmpty)
        {
            return;
        }

        await MakeRoomAsync(cancellationToken);
        await FillGapAsync(file, offset, cancellationToken);
        await WriteDataAsync(file, offset, data, cancellationToken);
        await EnsureJournaledAsync(cancellationToken);
    }

    internal async ValueTask SetSizeAsync(CollectionFile file, long sizeBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeBytes);
        await MakeRoomAsync(cancellationToken);
        await FillGapAsync(file, sizeBytes, cancellationToken);
        lock (Lock)
        {
            CheckWritable(file.Path);
            if (file.SizeBytes != sizeBytes)
            {
                ChangeSize(file, sizeBytes);
                if (file.WriterCount == 0)
                {
                    ScheduleSave();
                }
            }
        }

        await EnsureJournaledAsync(cancellationToken);
    }

    /// <summary>Under the lock.</summary>
    private void ChangeSize(CollectionFile file, long sizeBytes)
    {
        var journal = JournalFor(file);
        journal?.Bind(file);
        file.Content.SetSize(sizeBytes);
        file.MarkDirty();
        journal?.SetSize(file, sizeBytes);
    }

    /// <summary>Extends the file to an offset beyond its end.</summary>
    private async ValueTask FillGapAsync(CollectionFile file, long offset, CancellationToken cancellationToken)
    {
        long size;
        lock (Lock)
        {
            size = file.SizeBytes;
            if (offset - size > MaxWrittenGapBytes)
            {
                ChangeSize(file, offset);
                return;
            }
        }

        if (offset > size)
        {
            await WriteDataAsync(file, size, new byte[offset - size], cancellationToken);
        }
    }

    private async ValueTask WriteDataAsync(CollectionFile file, long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        BlockBuffer? spare = null;
        var bulk = await JournalLargeAsync(file, data);
        var (taken, recordedIn) = (0, 0UL);
        try
        {
            while (!data.IsEmpty)
            {
                int written, needed;
                MemorySegment? filled;
                lock (Lock)
                {
                    if (offset > file.SizeBytes)
                    {
                        // Somebody cut the file after the gap was filled.
                        ChangeSize(file, offset);
                    }

                    var journal = JournalFor(file);
                    journal?.Bind(file);
                    written = file.Content.Write(offset, data.Span, ref spare, out needed, out filled);
                    if (written > 0)
                    {
                        file.MarkDirty();
                        file.Content.LastWritten!.File = file;
                        if (journal is not null && recordedIn != journal.Epoch)
                        {
                            // All of it in one record, so that a crash leaves all or nothing of a write; what a save in between did not take once more.
                            journal.Write(file, offset, data.Span, bulk, taken);
                            recordedIn = journal.Epoch;
                        }

                        if (bulk is not null)
                        {
                            file.Content.LastWritten.AddJournal(bulk.File);
                        }
                    }

                    filled?.Seal();
                }

                if (filled is not null)
                {
                    StartUpload(filled);
                }

                if (needed > 0)
                {
                    spare?.Release();
                    spare = null;
                    spare = await RentAsync(needed, cancellationToken);
                }

                offset += written;
                taken += written;
                data = data[written..];
            }
        }
        finally
        {
            spare?.Release();
            bulk?.File.Drop();
        }
    }

    /// <summary>Under the lock: the extents; what is only in memory is copied, because a writer may change it right after, and what was put aside is held.</summary>
    private static List<Part> Peek(List<Extent> extents) => extents.ConvertAll(extent =>
    {
        if (extent is not { Stored: null, Memory: { } memory })
        {
            return new Part(extent, null, null, 0);
        }

        if (memory.Spilled is not { } place)
        {
            return new Part(extent, memory.Memory.Slice(extent.Offset, (int)extent.Length).ToArray(), null, 0);
        }

        place.File.Hold();
        return new Part(extent, null, place.File, place.Offset + extent.Offset);
    });

    private async ValueTask<BlockLease> CopyAsync(List<Part> parts, int length, CancellationToken cancellationToken)
    {
        try
        {
            if (parts is [{ Copied: { } whole }])
            {
                return BlockLease.Unowned(whole);
            }

            var bytes = new byte[length];
            var at = 0;
            foreach (var part in parts)
            {
                var destination = bytes.AsMemory(at, (int)part.Extent.Length);
                if (part.Copied is not null)
                {
                    part.Copied.CopyTo(destination);
                }
                else if (part.Spill is not null)
                {
                    part.Spill.Read(destination.Span, part.SpillOffset);
                }
                else if (part.Extent.Stored is { } stored)
                {
                    using var lease = await FetchAsync(stored, cancellationToken);
                    lease.Memory.CopyTo(destination);
                }

                at += (int)part.Extent.Length;
            }

            return BlockLease.Unowned(bytes);
        }
        finally
        {
            parts.ForEach(part => part.Spill?.Drop());
        }
    }

    private async ValueTask<BlockLease> ReadStoredAsync(SegmentReader reader, long offset, int length, CancellationToken cancellationToken)
    {
        var first = reader.SegmentsWithin(offset, length);
        if (first.Count == 1)
        {
            return await FetchAsync(first[0], cancellationToken);
        }

        var bytes = new byte[length];
        var at = 0;
        foreach (var segment in first)
        {
            using var lease = await FetchAsync(segment, cancellationToken);
            lease.Memory.CopyTo(bytes.AsMemory(at));
            at += lease.Memory.Length;
        }

        return BlockLease.Unowned(bytes);
    }

    /// <summary>Reads from a block, with a fresh signature if the one at hand has expired.</summary>
    private async ValueTask<BlockLease> FetchAsync(ManifestSegment segment, CancellationToken cancellationToken)
    {
        var locator = CurrentLocator(segment.Locator);
        try
        {
            return await Services.Store.ReadAsync(locator, segment.Offset, segment.Length, cancellationToken);
        }
        catch (KeepException e) when (e.Kind == KeepErrorKind.PermissionDenied && !_closing.IsCancellationRequested)
        {
            await RenewSignaturesAsync(cancellationToken);
            return await Services.Store.ReadAsync(CurrentLocator(segment.Locator), segment.Offset, segment.Length, cancellationToken);
        }
    }

    /// <summary>A piece of what is being read.</summary>
    /// <param name="Extent">Which.</param>
    /// <param name="Copied">Its bytes when they were in memory.</param>
    /// <param name="Spill">Where they are when they were put aside; held.</param>
    /// <param name="SpillOffset">First byte there.</param>
    private readonly record struct Part(Extent Extent, byte[]? Copied, SpillFile? Spill, long SpillOffset);
}
