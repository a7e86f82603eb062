using System.Text.Json;
using System.Text.Json.Serialization;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Hosting.Configuration;
using Microsoft.AspNetCore.Http;
using Mono.Unix.Native;

namespace KeepFs.KeepstoreHost;

/// <summary><c>/status.json</c> with the keys of 2016, for tools of that time (keepstore-http.md 8); only where the program asks for it.</summary>
internal sealed class StatusEndpoint(ClusterConfig config, Keepstore keepstore, BlockBufferPool buffers, WorkQueues queues)
{
    public Task ShowAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var status = new NodeStatus(
            [.. keepstore.Mounts.All.Select(Describe)],
            new BufferStatus(buffers.OutBytes, buffers.BudgetBytes / Locator.MaxBlockSizeBytes, (buffers.OutBytes + Locator.MaxBlockSizeBytes - 1) / Locator.MaxBlockSizeBytes),
            new QueueStatus(queues.Pull.InProgress, queues.Pull.Pending),
            new QueueStatus(queues.Trash.InProgress, queues.Trash.Pending),
            new MemoryStatus(GC.GetTotalMemory(forceFullCollection: false), Environment.WorkingSet));
        context.Response.ContentType = "application/json";
        var text = JsonSerializer.Serialize(status, StatusJson.Default.NodeStatus) + "\n";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.WriteAsync(text, cancellationToken);
    }

    private VolumeStatus Describe(Mount mount)
    {
        var root = config.Volumes[mount.Uuid].DriverParameters.GetValueOrDefault("Root") ?? "";
        var space = mount.Volume.GetSpace();
        return new VolumeStatus(
            root,
            Syscall.stat(root, out var stat) == 0 ? stat.st_dev : 0,
            space?.FreeBytes ?? 0,
            space is { } known ? known.TotalBytes - known.FreeBytes : 0);
    }
}

internal sealed record NodeStatus(
    [property: JsonPropertyName("volumes")] VolumeStatus[] Volumes, BufferStatus BufferPool, QueueStatus PullQueue, QueueStatus TrashQueue, MemoryStatus Memory);

internal sealed record VolumeStatus(
    [property: JsonPropertyName("mount_point")] string MountPoint,
    [property: JsonPropertyName("device_num")] ulong DeviceNumber,
    [property: JsonPropertyName("bytes_free")] long BytesFree,
    [property: JsonPropertyName("bytes_used")] long BytesUsed);

internal sealed record BufferStatus(long BytesAllocated, long BuffersMax, long BuffersInUse);

internal sealed record QueueStatus(int InProgress, int Queued);

internal sealed record MemoryStatus(long Alloc, long Sys);

[JsonSerializable(typeof(NodeStatus))]
internal sealed partial class StatusJson : JsonSerializerContext;
