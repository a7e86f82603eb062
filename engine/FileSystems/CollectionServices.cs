using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems.Journal;

namespace KeepFs.Engine.FileSystems;

/// <summary>What every collection of one mount or session shares.</summary>
/// <param name="Store">Reads and writes blocks.</param>
/// <param name="Catalog">Loads and saves collections.</param>
/// <param name="WritePool">Memory for data that is not stored yet.</param>
/// <param name="PackPool">
/// Memory in which small pieces are packed; its own pool, so that giving back <paramref name="WritePool"/>'s memory never waits for it.
/// </param>
/// <param name="Options">Delays and limits.</param>
/// <param name="Ids">Node ids.</param>
/// <param name="Time">Clock and timers.</param>
/// <param name="Log">One line per event that a user should be able to find: failed saves, merges, conflicts.</param>
public sealed record CollectionServices(
    IBlockStore Store,
    ICatalog Catalog,
    BlockBufferPool WritePool,
    BlockBufferPool PackPool,
    CollectionOptions Options,
    NodeIds Ids,
    TimeProvider Time,
    Action<string> Log)
{
    /// <summary>Records changes before they are answered; none: what is not saved is lost with the process.</summary>
    public StagingJournal? Journal { get; init; }

    /// <summary>Reads what was stored under earlier tokens; none: what the journal refers to can be saved only with the token that stored it.</summary>
    public IFormerBlocks? FormerBlocks { get; init; }

    /// <summary>What the catalogue does not have yet, by collection.</summary>
    public IReadOnlyList<UnsavedCollection> Unsaved() => Open.Unsaved();

    /// <summary>The collections end with the mount: nobody waits for them to be saved.</summary>
    internal bool IsNeverSaved { get; init; }

    /// <summary>Who holds memory of <see cref="WritePool"/>.</summary>
    internal OpenCollections Open { get; } = new();
}
