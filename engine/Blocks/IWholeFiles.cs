using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.Blocks;

/// <summary>
/// What a block store can do that keeps verified bytes in local files: hand out a descriptor of a file that holds exactly the bytes of a list of
/// pieces. Safe for concurrent use; never fails, there is just no such file.
/// </summary>
public interface IWholeFiles
{
    /// <summary>Smaller files are read through their blocks: a descriptor of their own costs more than it saves.</summary>
    long MinWholeBytes { get; }

    /// <summary>A descriptor for reading, which the caller owns, or null. The file behind it never changes.</summary>
    SafeFileHandle? TryOpenWhole(IReadOnlyList<BlockRange> pieces);

    /// <summary>Says that somebody reads such a file whole and may want it again; the work is done in the background, or not.</summary>
    void PrepareWhole(IReadOnlyList<BlockRange> pieces);
}

/// <summary>Part of a block.</summary>
/// <param name="Block">The block.</param>
/// <param name="Offset">First byte in it.</param>
/// <param name="Length">Bytes.</param>
public readonly record struct BlockRange(Locator Block, int Offset, int Length);
