using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Mounts;

/// <summary>What an operator should hear of a <see cref="Keepstore"/>. Called from any thread; must not throw or wait.</summary>
public interface IKeepstoreEvents
{
    /// <summary>A stored copy does not match its hash.</summary>
    void CorruptCopy(BlockHash hash, string mountUuid, string reason);

    /// <summary>A corrupt copy was replaced by a good one.</summary>
    void RepairedCopy(BlockHash hash, string mountUuid);

    /// <summary>A mount could not read.</summary>
    void FailedRead(BlockHash hash, string mountUuid, Exception failure);

    /// <summary>A mount could not write.</summary>
    void FailedWrite(BlockHash hash, string mountUuid, Exception failure);

    /// <summary>A trash list named a block that was kept; the mount is empty when the item names none.</summary>
    void KeptListedBlock(BlockHash hash, string mountUuid, string reason);

    /// <summary>A block was trashed because a list named it.</summary>
    void TrashedListedBlock(BlockHash hash, string mountUuid);

    /// <summary>A mount could not trash a block that a list named.</summary>
    void FailedTrash(BlockHash hash, string mountUuid, Exception failure);

    /// <summary>A block was copied from another keepstore.</summary>
    void PulledBlock(BlockHash hash, string mountUuid);

    /// <summary>A block could not be copied; the mount is empty when none was chosen.</summary>
    void FailedPull(BlockHash hash, string mountUuid, Exception failure);
}
