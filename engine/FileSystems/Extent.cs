using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>A run of a file's bytes and where they are: in a stored block, in memory, or nowhere (a hole of zeros).</summary>
/// <param name="Start">First byte in the file.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Memory">Set when the bytes are, or were, in memory.</param>
/// <param name="Block">Set when the bytes come from a stored block; neither set means a hole.</param>
/// <param name="Offset">First byte inside the memory segment or block.</param>
internal readonly record struct Extent(long Start, long Length, MemorySegment? Memory, Locator? Block, int Offset)
{
    public long End => Start + Length;

    public bool IsHole => Memory is null && Block is null;

    /// <summary>The stored place of the bytes, or null while they are only in memory (or a hole).</summary>
    public ManifestSegment? Stored =>
        Block is { } block ? new ManifestSegment(block, Offset, (int)Length)
        : Memory?.Stored is { } stored ? new ManifestSegment(stored.Locator, stored.Offset + Offset, (int)Length)
        : null;

    /// <summary>The part from <paramref name="skip"/> on.</summary>
    public Extent From(long skip) => this with { Start = Start + skip, Length = Length - skip, Offset = IsHole ? 0 : Offset + (int)skip };

    /// <summary>The first <paramref name="length"/> bytes.</summary>
    public Extent Take(long length) => this with { Length = length };
}
