using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>Copies that move no bytes: the destination refers to the blocks of the source.</summary>
public sealed partial class CollectionFileSystem
{
    /// <summary>The source may lie in another collection of the same mount, whose blocks are signed for the same token.</summary>
    internal async ValueTask<long> ShareAsync(CollectionFile source, long sourceOffset, CollectionFile file, long offset, long length, CancellationToken cancellationToken)
    {
        if (sourceOffset < 0 || offset < 0 || length < 0 || offset > long.MaxValue - length)
        {
            throw new FsException(FsError.InvalidArgument, $"\"{file.Name}\": that range is not possible.");
        }

        ThrowIfFailing(file);
        var segments = source.Owner.StoredRange(source, sourceOffset, length, out var isEnd);
        if (segments.Count == 0)
        {
            return isEnd ? 0 : throw new FsException(FsError.NotSupported, $"\"{source.Name}\" is not stored yet there, or empty; copy the bytes.");
        }

        await MakeRoomAsync(cancellationToken);
        await FillGapAsync(file, offset, cancellationToken);
        var ranges = new List<(long Start, ManifestSegment Place)>(segments.Count);
        var end = offset;
        foreach (var segment in segments)
        {
            ranges.Add((end, segment));
            end += segment.Length;
        }

        lock (Lock)
        {
            CheckWritable(file.Path);
            if (offset > file.SizeBytes)
            {
                // Somebody cut the file after the gap was filled.
                ChangeSize(file, offset);
            }

            var journal = JournalFor(file);
            journal?.Bind(file);
            file.Content.SetStored(offset, [.. segments]);
            file.MarkDirty();
            journal?.Stored(file, ranges);
        }

        await EnsureJournaledAsync(cancellationToken);
        return end - offset;
    }

    /// <summary>The stored places of a range, up to the first byte that is only in memory or a hole.</summary>
    private List<ManifestSegment> StoredRange(CollectionFile file, long offset, long length, out bool isEnd)
    {
        lock (Lock)
        {
            isEnd = offset >= file.SizeBytes;
            var stored = new List<ManifestSegment>();
            if (!isEnd)
            {
                var content = file.ContentInMemory ?? new FileContent(file.Stored.Segments);
                foreach (var extent in content.Cover(offset, length).TakeWhile(extent => extent.Stored is not null))
                {
                    var place = extent.Stored!.Value;
                    stored.Add(place with { Locator = CurrentLocator(place.Locator) });
                }
            }

            return stored;
        }
    }
}
