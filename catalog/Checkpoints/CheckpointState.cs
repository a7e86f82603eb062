namespace KeepFs.Catalog.Checkpoints;

/// <summary>
/// What the catalogue remembers of its last checkpoint, as properties of the project that holds them; so it is part of every checkpoint too. Immutable.
/// </summary>
internal sealed record CheckpointState
{
    /// <inheritdoc cref="CheckpointHead.Lineage"/>
    public required string Lineage { get; init; }

    /// <summary>Of the last one that was begun: numbers may be left out, but none comes twice, not even after a rebuild.</summary>
    public long Sequence { get; init; }

    /// <inheritdoc cref="CheckpointMark.FullSequence"/>
    public long FullSequence { get; init; }

    public string? At { get; init; }

    /// <summary>Locator of the last head.</summary>
    public string? Head { get; init; }

    /// <summary>Of the block references; another one means that records came from elsewhere since.</summary>
    public string? Epoch { get; init; }

    /// <summary>The last log record that is in.</summary>
    public long Log { get; init; }

    public IReadOnlyList<CheckpointPart> Parts { get; init; } = [];

    /// <summary>The process that makes one now, and when it counts as gone.</summary>
    public string? ClaimedBy { get; init; }

    public string? ClaimedUntil { get; init; }
}

/// <summary>Properties of a collection that is a checkpoint.</summary>
/// <param name="Sequence">See <see cref="CheckpointHead.Sequence"/>.</param>
/// <param name="FullSequence">Sequence of the checkpoint that wrote the full part on which this one stands.</param>
/// <param name="At">See <see cref="CheckpointHead.At"/>.</param>
/// <param name="Head">Locator of the head.</param>
internal sealed record CheckpointMark(long Sequence, long FullSequence, string At, string Head);
