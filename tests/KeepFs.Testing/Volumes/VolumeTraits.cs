namespace KeepFs.Testing.Volumes;

/// <summary>What the kinds of volumes may do differently (keepstore-http.md 11).</summary>
public sealed record VolumeTraits
{
    /// <summary>Of mtimes, which are rounded down to it.</summary>
    public TimeSpan MtimeResolution { get; init; } = TimeSpan.FromTicks(1);

    /// <summary>A block that comes back from the trash counts as touched.</summary>
    public bool UntrashRenewsMtime { get; init; }

    /// <summary>What was untrashed stays in the trash too.</summary>
    public bool UntrashLeavesTrash { get; init; }

    /// <summary>A block and its trash are one object, so writing the one ends the other.</summary>
    public bool WriteReplacesTrash { get; init; }
}
