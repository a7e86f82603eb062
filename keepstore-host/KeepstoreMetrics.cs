using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Hosting.Http;

namespace KeepFs.KeepstoreHost;

/// <summary>What <c>/metrics</c> shows (keepstore-http.md 13).</summary>
internal sealed class KeepstoreMetrics(
    Keepstore keepstore, BlockBufferPool buffers, RequestMetrics requests, WorkQueues queues, IReadOnlyDictionary<string, IVolumeMeter> volumes, VerifiedCache verified,
    Scrubber scrubber)
{
    public void Write(MetricsText text)
    {
        var counters = keepstore.Counters;
        requests.Write(text);
        text.Gauge("arvados_keepstore_bufferpool_allocated_bytes", "Bytes of block buffers in use.", buffers.OutBytes)
            .Gauge("arvados_keepstore_bufferpool_max_buffers", "Budget in buffers of 64 MiB.", buffers.BudgetBytes / Locator.MaxBlockSizeBytes)
            .Gauge("arvados_keepstore_bufferpool_inuse_buffers", "Buffers of 64 MiB that the bytes in use would fill.", (buffers.OutBytes + Locator.MaxBlockSizeBytes - 1) / Locator.MaxBlockSizeBytes)
            .Gauge("arvados_keepstore_pull_queue_pending_entries", "Pull list items that nobody has started.", queues.Pull.Pending)
            .Gauge("arvados_keepstore_pull_queue_inprogress_entries", "Blocks being pulled.", queues.Pull.InProgress)
            .Gauge("arvados_keepstore_trash_queue_pending_entries", "Trash list items that nobody has started.", queues.Trash.Pending)
            .Gauge("arvados_keepstore_trash_queue_inprogress_entries", "Trash list items being done.", queues.Trash.InProgress)
            .Counter("keepfs_keepstore_corrupt_copies", "Stored copies met whose bytes did not match their hash.", counters.CorruptCopies)
            .Counter("keepfs_keepstore_repaired_copies", "Corrupt copies replaced by a PUT.", counters.RepairedCopies)
            .Counter("keepfs_keepstore_failed_reads", "Reads that a volume could not do.", counters.FailedReads)
            .Counter("keepfs_keepstore_failed_writes", "Writes that a volume could not do.", counters.FailedWrites)
            .Counter("keepfs_keepstore_read_bytes", "Verified bytes read from volumes.", counters.BytesRead)
            .Counter("keepfs_keepstore_cache_hits", "Reads answered from memory.", verified.Blocks.Hits)
            .Gauge("keepfs_keepstore_cache_bytes", "Verified blocks in memory.", verified.Blocks.KeptBytes)
            .Counter("keepfs_keepstore_written_bytes", "Bytes stored on volumes.", counters.BytesWritten);
        WriteSpace(text);
        GatewayEndpoints.WriteMetrics(text, keepstore);
        WriteVolumes(text);
        ScrubMetrics.Write(text, scrubber.Status);
    }

    private void WriteSpace(MetricsText text)
    {
        var spaces = keepstore.Mounts.All.Select(mount => (mount.Uuid, Space: mount.Volume.GetSpace())).Where(entry => entry.Space is not null).ToArray();
        foreach (var (uuid, space) in spaces)
        {
            text.Gauge("keepfs_keepstore_volume_free_bytes", "Room on the volume, where it knows.", space!.Value.FreeBytes, ("mount", uuid));
        }

        foreach (var (uuid, space) in spaces)
        {
            text.Gauge("keepfs_keepstore_volume_total_bytes", "Size of the volume, where it knows.", space!.Value.TotalBytes, ("mount", uuid));
        }
    }

    /// <summary>One metric after the other, as the format wants it, each for all volumes.</summary>
    private void WriteVolumes(MetricsText text)
    {
        var devices = keepstore.Mounts.All.Select(mount => (Id: mount.Volume.DeviceId, Meter: volumes[mount.Uuid])).ToArray();
        foreach (var (id, meter) in devices)
        {
            foreach (var (operation, count) in meter.Operations)
            {
                text.Counter("arvados_keepstore_volume_operations", "Operations of the volume's disk or service.", count, ("device_id", id), ("operation", operation));
            }
        }

        foreach (var (id, meter) in devices)
        {
            foreach (var (error, count) in meter.Errors)
            {
                text.Counter("arvados_keepstore_volume_errors", "Operations that failed.", count, ("device_id", id), ("error_type", error));
            }
        }

        foreach (var (id, meter) in devices)
        {
            text.Counter("arvados_keepstore_volume_io_bytes", "Bytes moved.", meter.ReadBytes, ("device_id", id), ("direction", "in"))
                .Counter("arvados_keepstore_volume_io_bytes", "Bytes moved.", meter.WrittenBytes, ("device_id", id), ("direction", "out"));
        }
    }
}
