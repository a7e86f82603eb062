using System.Text.Json.Serialization;

namespace KeepFs.Engine.Mounts;

/// <summary>What a pass over one mount met so far, or a complete one.</summary>
public sealed record ScrubTotals
{
    /// <summary>Blocks read.</summary>
    public long CheckedBlocks { get; init; }

    /// <summary>Their bytes.</summary>
    public long CheckedBytes { get; init; }

    /// <summary>Copies whose bytes did not match their hash.</summary>
    public long CorruptBlocks { get; init; }

    /// <summary>Of these, and of those of earlier passes, replaced by a good one.</summary>
    public long HealedBlocks { get; init; }

    /// <summary>Blocks that could not be read.</summary>
    public long FailedReads { get; init; }
}

/// <summary>Where the scrubbing of one mount stands; saved with the volume.</summary>
public sealed record ScrubState
{
    /// <summary>The last block that was looked at; empty = before the first.</summary>
    public string Position { get; init; } = "";

    /// <summary>Unix seconds; 0 = no pass was ever started.</summary>
    public long PassStartedAt { get; init; }

    /// <summary>Unix seconds; 0 = no pass was ever completed.</summary>
    public long LastCompleteAt { get; init; }

    /// <summary>The pass under way.</summary>
    public ScrubTotals Pass { get; init; } = new();

    /// <summary>The last complete pass.</summary>
    public ScrubTotals? LastPass { get; init; }

    /// <summary>Blocks that were put aside and of which no good copy has been found since.</summary>
    public long LostBlocks { get; init; }
}

/// <summary>One mount for people and tools.</summary>
/// <param name="MountUuid">Which.</param>
/// <param name="Activity"><c>off</c>, <c>waiting</c>, <c>scrubbing</c> or <c>yielding</c> (to requests).</param>
/// <param name="Done">Share of the hash space that the pass under way has covered, 0 to 1.</param>
/// <param name="State">The rest.</param>
public sealed record MountScrubStatus(string MountUuid, string Activity, double Done, ScrubState State);

/// <summary>A whole scrubber for people and tools.</summary>
public sealed record ScrubStatus(bool IsOn, long BytesPerSecond, IReadOnlyList<MountScrubStatus> Mounts);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ScrubState))]
[JsonSerializable(typeof(ScrubStatus))]
public sealed partial class ScrubJson : JsonSerializerContext;
