namespace KeepFs.Catalog.Checkpoints.Rebuild;

/// <summary>What came of a rebuild.</summary>
/// <param name="Checkpoint">The one that was used.</param>
/// <param name="Records">Lines written, without the first and the last.</param>
/// <param name="Missing">Blocks that collections or past versions name and that no volume has in the right length, each once.</param>
/// <param name="IncompleteCollections">Collections and past versions that name them.</param>
public sealed record RebuildReport(FoundCheckpoint Checkpoint, long Records, IReadOnlyCollection<MissingBlock> Missing, long IncompleteCollections);

/// <summary>A block that is not there.</summary>
/// <param name="Locator">Hash and, where the manifest says it, size.</param>
/// <param name="CollectionUuid">A collection or past version that names it.</param>
public sealed record MissingBlock(string Locator, string CollectionUuid);
