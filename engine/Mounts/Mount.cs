using KeepFs.Engine.Volumes;

namespace KeepFs.Engine.Mounts;

/// <summary>A volume as one keepstore uses it (keepstore-http.md 11). Immutable.</summary>
public sealed record Mount
{
    /// <summary>The volume's UUID; its last 15 characters decide the order of mounts.</summary>
    public required string Uuid { get; init; }

    /// <summary>Where the blocks are; owned by the <see cref="Keepstore"/>.</summary>
    public required IVolume Volume { get; init; }

    /// <summary>Blocks may be written and touched.</summary>
    public bool AllowWrite { get; init; } = true;

    /// <summary>Blocks may be trashed.</summary>
    public bool AllowTrash { get; init; } = true;

    /// <summary>Copies that the storage below keeps by itself; one write counts as so many.</summary>
    public int Replication { get; init; } = 1;

    /// <summary>Classes that a copy here satisfies.</summary>
    public IReadOnlyList<string> StorageClasses { get; init; } = ["default"];

    /// <summary>Mounts with a higher one are asked first.</summary>
    public int Priority { get; init; }
}
