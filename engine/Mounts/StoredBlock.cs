using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Mounts;

/// <summary>Where a PUT left copies (keepstore-http.md 6.2).</summary>
/// <param name="Replicas">Sum of the replication of the mounts that hold a good copy.</param>
/// <param name="ClassesConfirmed">Copies by class, for every class of every used mount.</param>
public sealed record StoredBlock(int Replicas, IReadOnlyDictionary<string, int> ClassesConfirmed);

/// <summary>A stored file under a block's name that is larger than any block may be.</summary>
public sealed class StoredBlockTooLargeException(BlockHash hash, long sizeBytes)
    : KeepException(KeepErrorKind.Corrupt, $"The stored copy of {hash} has {sizeBytes} bytes, more than a block may have.");
