using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>
/// Reads blocks that were stored under a token that may be gone by now. Keepstores do not look tokens up (blocks.md section 3.2): who has the token that a
/// signature was made for may read, also when the catalogue does not know it any more. Safe for concurrent use.
/// </summary>
public interface IFormerBlocks
{
    /// <summary>Fetches a whole, verified block into a buffer that is large enough, and sets its length.</summary>
    /// <exception cref="KeepException">It cannot be had with that token.</exception>
    ValueTask FetchAsync(string token, Locator locator, BlockBuffer destination, CancellationToken cancellationToken);
}
