using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// Random access to a stored file: its segments with their positions. Immutable and safe for concurrent use; reading verifies through the
/// block store.
/// </summary>
public sealed class SegmentReader
{
    private readonly ManifestSegment[] _segments;
    private readonly long[] _ends;

    /// <summary>Wraps the segments of a file; the array must not change.</summary>
    public SegmentReader(ManifestSegment[] segments)
    {
        _segments = segments;
        _ends = new long[segments.Length];
        long end = 0;
        for (var i = 0; i < segments.Length; i++)
        {
            _ends[i] = end += segments[i].Length;
        }

        SizeBytes = end;
    }

    /// <summary>Length of the file.</summary>
    public long SizeBytes { get; }

    /// <summary>
    /// Reads from <paramref name="offset"/> as much as one block holds, at most <paramref name="length"/> bytes, without copying. Empty at the end.
    /// </summary>
    public async ValueTask<BlockLease> ReadRunAsync(IBlockStore store, long offset, int length, CancellationToken cancellationToken)
    {
        if (offset >= SizeBytes || length == 0)
        {
            return BlockLease.Unowned(default);
        }

        var at = SegmentAt(offset);
        var segment = _segments[at];
        var skip = (int)(offset - (_ends[at] - segment.Length));
        return await store.ReadAsync(segment.Locator, segment.Offset + skip, Math.Min(length, segment.Length - skip), cancellationToken);
    }

    /// <summary>Fills the destination from <paramref name="offset"/>; returns fewer bytes only at the end of the file.</summary>
    public async ValueTask<int> ReadAsync(IBlockStore store, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var filled = 0;
        while (filled < destination.Length)
        {
            using var lease = await ReadRunAsync(store, offset + filled, destination.Length - filled, cancellationToken);
            if (lease.Memory.IsEmpty)
            {
                break;
            }

            lease.Memory.CopyTo(destination[filled..]);
            filled += lease.Memory.Length;
        }

        return filled;
    }

    /// <summary>The parts of segments that make up a range; cut at the end of the file.</summary>
    public IReadOnlyList<ManifestSegment> SegmentsWithin(long offset, int length)
    {
        var end = Math.Min(SizeBytes, offset + length);
        var result = new List<ManifestSegment>(1);
        for (var at = offset < end ? SegmentAt(offset) : 0; offset < end; at++)
        {
            var segment = _segments[at];
            var skip = (int)(offset - (_ends[at] - segment.Length));
            var take = (int)Math.Min(segment.Length - skip, end - offset);
            result.Add(segment with { Offset = segment.Offset + skip, Length = take });
            offset += take;
        }

        return result;
    }

    /// <summary>Announces so many blocks that follow the one at <paramref name="offset"/>.</summary>
    public void Prefetch(IBlockStore store, long offset, int blocks)
    {
        if (offset >= SizeBytes)
        {
            return;
        }

        var at = SegmentAt(offset);
        var current = _segments[at].Locator.Hash;
        List<Locator> next = [];
        for (at++; at < _segments.Length && next.Count < blocks; at++)
        {
            if (_segments[at].Locator.Hash != current)
            {
                current = _segments[at].Locator.Hash;
                next.Add(_segments[at].Locator);
            }
        }

        if (next.Count > 0)
        {
            store.Prefetch(next);
        }
    }

    private int SegmentAt(long offset)
    {
        var at = Array.BinarySearch(_ends, offset + 1);
        return at >= 0 ? at : ~at;
    }
}
