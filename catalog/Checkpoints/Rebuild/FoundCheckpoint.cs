using KeepFs.Engine.Blocks;

namespace KeepFs.Catalog.Checkpoints.Rebuild;

/// <summary>A checkpoint whose head was found; whether its data are there is seen when it is used. Immutable.</summary>
public sealed class FoundCheckpoint
{
    private readonly byte[] _block;

    internal FoundCheckpoint(BlockHash block, CheckpointHead head, byte[] bytes) => (Block, Head, _block) = (block, head, bytes);

    /// <summary>The head's block.</summary>
    public BlockHash Block { get; }

    /// <summary>The cluster that it is of.</summary>
    public string ClusterId => Head.ClusterId;

    /// <summary>Equal for all checkpoints of one catalogue, also after it was rebuilt from one of them.</summary>
    public string Lineage => Head.Lineage;

    /// <summary>Counts those of a lineage.</summary>
    public long Sequence => Head.Sequence;

    /// <summary>As of when.</summary>
    public DateTimeOffset At => Head.Time;

    /// <summary>Records by table.</summary>
    public IReadOnlyDictionary<string, long> Counts => Head.Counts;

    internal CheckpointHead Head { get; }

    /// <summary>It was made by a catalogue with that <c>SystemRootToken</c>.</summary>
    public bool IsSealedBy(string systemRootToken) => CheckpointHead.HasSeal(_block, systemRootToken);
}
