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
}
