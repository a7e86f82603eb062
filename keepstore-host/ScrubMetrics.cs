using KeepFs.Engine.Mounts;
using KeepFs.Hosting.Http;

namespace KeepFs.KeepstoreHost;

/// <summary>What <c>/metrics</c> shows of the scrubber.</summary>
internal static class ScrubMetrics
{
    private static readonly (string Name, string Help, Func<MountScrubStatus, double> Value)[] Gauges =
    [
        ("keepfs_scrub_position", "Share of the volume that the pass under way has covered.", static mount => mount.Done),
        ("keepfs_scrub_last_complete_seconds", "When the last pass ended, Unix time; 0 = never.", static mount => mount.State.LastCompleteAt),
        ("keepfs_scrub_pass_checked_blocks", "Blocks verified in the pass under way.", static mount => mount.State.Pass.CheckedBlocks),
        ("keepfs_scrub_pass_checked_bytes", "Their bytes.", static mount => mount.State.Pass.CheckedBytes),
        ("keepfs_scrub_pass_corrupt_blocks", "Bad copies found in the pass under way.", static mount => mount.State.Pass.CorruptBlocks),
        ("keepfs_scrub_pass_healed_blocks", "Bad copies replaced in the pass under way.", static mount => mount.State.Pass.HealedBlocks),
        ("keepfs_scrub_pass_failed_reads", "Blocks that could not be read in the pass under way.", static mount => mount.State.Pass.FailedReads),
        ("keepfs_scrub_lost_blocks", "Blocks put aside of which no good copy has been found.", static mount => mount.State.LostBlocks),
    ];

    public static void Write(MetricsText text, ScrubStatus status)
    {
        text.Gauge("keepfs_scrub_on", "Blocks are verified in the background.", status.IsOn ? 1 : 0)
            .Gauge("keepfs_scrub_rate_bytes", "Bytes a second on each volume; 0 = no limit.", status.BytesPerSecond);
        foreach (var (name, help, value) in Gauges)
        {
            foreach (var mount in status.Mounts)
            {
                text.Gauge(name, help, value(mount), ("mount", mount.MountUuid));
            }
        }
    }
}
