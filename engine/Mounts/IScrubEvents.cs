using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Mounts;

/// <summary>What an operator should hear of a <see cref="Scrubber"/>. Called from any thread; must not throw or wait.</summary>
public interface IScrubEvents
{
    /// <summary>A bad copy was found; whether it was put aside.</summary>
    void FoundCorrupt(BlockHash hash, string mountUuid, bool isQuarantined);

    /// <summary>A good copy was written back.</summary>
    void Healed(BlockHash hash, string mountUuid, string source);

    /// <summary>No good copy was found anywhere; it is looked for again at the end of each pass.</summary>
    void Lost(BlockHash hash, string mountUuid, string reason);

    /// <summary>Every block of the mount was looked at.</summary>
    void PassComplete(string mountUuid, ScrubTotals totals);

    /// <summary>Something did not work; the scrubber goes on.</summary>
    void Failed(string mountUuid, Exception failure);
}

/// <summary>Finds good copies on other keepstores. Mounts know no network: whoever composes the server hands this in.</summary>
public interface ICopyFinder
{
    /// <summary>A verified copy and where it came from, or null when no other server has one; the caller releases it.</summary>
    /// <exception cref="KeepException">A server that might have one could not be asked.</exception>
    ValueTask<FoundCopy?> FindAsync(BlockHash hash, CancellationToken cancellationToken);
}

/// <summary>A verified copy.</summary>
public readonly record struct FoundCopy(BlockBuffer Block, string Source);
