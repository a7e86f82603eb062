using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// The bytes of one file as a gapless list of extents. Writing needs memory that the caller rented before it took the collection's lock, under
/// which every member is used.
/// </summary>
internal sealed class FileContent
{
    private readonly List<Extent> _extents = [];

    public FileContent(ReadOnlySpan<ManifestSegment> segments)
    {
        foreach (var segment in segments)
        {
            _extents.Add(new Extent(SizeBytes, segment.Length, null, segment.Locator, segment.Offset));
            SizeBytes += segment.Length;
        }
    }

    public long SizeBytes { get; private set; }

    /// <summary>Where the last <see cref="Write"/> put its bytes.</summary>
    public MemorySegment? LastWritten { get; private set; }

    /// <summary>Segments that hold bytes only in memory.</summary>
    public IEnumerable<MemorySegment> Unstored => _extents.Where(extent => extent.Memory is { Stored: null }).Select(extent => extent.Memory!).Distinct();

    /// <summary>The extents that cover a range, cut to it.</summary>
    public List<Extent> Cover(long offset, long length)
    {
        var end = length > SizeBytes - offset ? SizeBytes : offset + length;
        var result = new List<Extent>(1);
        for (var i = IndexAt(offset); offset < end; i++)
        {
            var extent = _extents[i].From(offset - _extents[i].Start);
            extent = extent.Take(Math.Min(extent.Length, end - offset));
            result.Add(extent);
            offset = extent.End;
        }

        return result;
    }

    /// <summary>A list that stays as it is: what is in memory is sealed and held until <see cref="DropAll"/>.</summary>
    public Extent[] Snapshot()
    {
        var copy = _extents.ToArray();
        foreach (var extent in copy)
        {
            extent.Memory?.Seal();
            extent.Memory?.Hold();
        }

        return copy;
    }

    /// <summary>Lets go of the memory that a snapshot holds.</summary>
    public static void DropAll(IEnumerable<Extent> extents)
    {
        foreach (var extent in extents)
        {
            extent.Memory?.Drop();
        }
    }

    /// <summary>Forgets everything and gives the memory back.</summary>
    public void Clear()
    {
        DropAll(_extents);
        _extents.Clear();
        SizeBytes = 0;
    }

    /// <summary>
    /// Writes as much of the data as goes into one segment. Returns the bytes written, or 0 when a buffer of
    /// <paramref name="neededBytes"/> must be brought as <paramref name="spare"/>, which is taken (set to null) when used. The offset must
    /// not lie past the end.
    /// </summary>
    public int Write(long offset, ReadOnlySpan<byte> data, ref BlockBuffer? spare, out int neededBytes, out MemorySegment? filled)
    {
        (neededBytes, filled) = (0, null);
        var at = IndexAt(offset);
        if (at < _extents.Count && _extents[at] is { Memory: { IsSealed: false } inside } around && offset < around.End)
        {
            var skip = (int)(offset - around.Start);
            var overwrite = (int)Math.Min(data.Length, around.Length - skip);
            inside.Overwrite(around.Offset + skip, data[..overwrite]);
            LastWritten = inside;
            return overwrite;
        }

        var before = at < _extents.Count && _extents[at].Start < offset ? -1 : at - 1;
        if (before >= 0 && _extents[before] is { Memory: { IsSealed: false, IsFull: false } tail } previous && previous.Offset + previous.Length == tail.Length)
        {
            var length = Math.Min(data.Length, Locator.MaxBlockSizeBytes - tail.Length);
            if (tail.RoomWithin(tail.CapacityBytes) < length)
            {
                if (spare is null || spare.CapacityBytes < tail.Length + length)
                {
                    // Growing fourfold keeps both the copies and the waste of memory small.
                    neededBytes = Math.Min(Locator.MaxBlockSizeBytes, Math.Max(tail.Length + length, tail.CapacityBytes * 4));
                    return 0;
                }

                tail.GrowInto(spare);
                spare = null;
            }

            tail.Append(data[..length]);
            LastWritten = tail;
            RemoveRange(offset, Math.Min(SizeBytes, offset + length));
            _extents[before] = previous with { Length = previous.Length + length };
            SizeBytes = Math.Max(SizeBytes, offset + length);
            filled = tail.IsFull ? tail : null;
            return length;
        }

        return WriteNew(offset, data, ref spare, out neededBytes, out filled);
    }

    /// <summary>Cuts off, or extends with a hole.</summary>
    public void SetSize(long sizeBytes)
    {
        if (sizeBytes < SizeBytes)
        {
            RemoveRange(sizeBytes, SizeBytes);
        }
        else if (sizeBytes > SizeBytes)
        {
            _extents.Add(new Extent(SizeBytes, sizeBytes - SizeBytes, null, null, 0));
        }

        SizeBytes = sizeBytes;
    }

    /// <summary>Makes a range come from stored blocks; the start must not lie past the end.</summary>
    public void SetStored(long start, ReadOnlySpan<ManifestSegment> segments)
    {
        var end = start;
        foreach (var segment in segments)
        {
            end += segment.Length;
        }

        RemoveRange(start, Math.Min(SizeBytes, end));
        var at = IndexAt(start);
        foreach (var segment in segments)
        {
            _extents.Insert(at++, new Extent(start, segment.Length, null, segment.Locator, segment.Offset));
            start += segment.Length;
        }

        SizeBytes = Math.Max(SizeBytes, end);
    }

    /// <summary>Makes a range zeros; the start must not lie past the end.</summary>
    public void SetHole(long start, long length)
    {
        RemoveRange(start, Math.Min(SizeBytes, start + length));
        _extents.Insert(IndexAt(start), new Extent(start, length, null, null, 0));
        SizeBytes = Math.Max(SizeBytes, start + length);
    }

    /// <summary>Where in the file the bytes of a stored segment are.</summary>
    public List<(long Start, ManifestSegment Place)> PlacesOf(MemorySegment segment) =>
        [.. _extents.Where(extent => extent.Memory == segment).Select(extent => (extent.Start, extent.Stored!.Value))];

    private int WriteNew(long offset, ReadOnlySpan<byte> data, ref BlockBuffer? spare, out int neededBytes, out MemorySegment? filled)
    {
        (neededBytes, filled) = (0, null);
        var length = Math.Min(data.Length, Locator.MaxBlockSizeBytes);
        if (spare is null || spare.CapacityBytes < length)
        {
            neededBytes = length;
            return 0;
        }

        var segment = new MemorySegment(spare);
        LastWritten = segment;
        spare = null;
        segment.Append(data[..length]);
        segment.Hold();
        RemoveRange(offset, Math.Min(SizeBytes, offset + length));
        _extents.Insert(IndexAt(offset), new Extent(offset, length, segment, null, 0));
        SizeBytes = Math.Max(SizeBytes, offset + length);
        filled = segment.IsFull ? segment : null;
        return length;
    }

    /// <summary>Takes the bytes of a range out of the list, leaving a gap that the caller fills (or the end).</summary>
    private void RemoveRange(long start, long end)
    {
        if (start >= end)
        {
            return;
        }

        Cut(start);
        Cut(end);
        var first = IndexAt(start);
        var last = first;
        while (last < _extents.Count && _extents[last].Start < end)
        {
            _extents[last++].Memory?.Drop();
        }

        _extents.RemoveRange(first, last - first);
    }

    private void Cut(long position)
    {
        var at = IndexAt(position);
        if (at < _extents.Count && _extents[at].Start < position)
        {
            var whole = _extents[at];
            _extents[at] = whole.Take(position - whole.Start);
            _extents.Insert(at + 1, whole.From(position - whole.Start));
            whole.Memory?.Hold();
        }
    }

    /// <summary>The extent that holds the position, or the first one after it; the count when there is none.</summary>
    private int IndexAt(long position)
    {
        var (low, high) = (0, _extents.Count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            (low, high) = _extents[middle].End <= position ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
