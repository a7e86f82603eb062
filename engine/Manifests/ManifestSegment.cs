using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Manifests;

/// <summary>Part of one block that is part of one file.</summary>
/// <param name="Locator">The block, with the hints that its manifest gave it.</param>
/// <param name="Offset">First byte inside the block.</param>
/// <param name="Length">Bytes; never 0 in a file's list.</param>
public readonly record struct ManifestSegment(Locator Locator, int Offset, int Length);
