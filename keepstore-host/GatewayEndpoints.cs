using System.Text.Json;
using System.Text.Json.Serialization;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Engine.Volumes.Gateway;
using KeepFs.Hosting.Http;
using Microsoft.AspNetCore.Http;

namespace KeepFs.KeepstoreHost;

/// <summary>What a server whose volumes are all gateways answers differently (keep-gateway.md 8). Everything else is keepstore's.</summary>
internal sealed class GatewayEndpoints(IReadOnlyList<GatewayVolume> volumes)
{
    /// <summary>Null: some volume is Keep's own.</summary>
    public static GatewayEndpoints? For(Keepstore keepstore)
    {
        var volumes = VolumesOf(keepstore);
        return volumes.Count == keepstore.Mounts.All.Count ? new GatewayEndpoints(volumes) : null;
    }

    public static Task RefuseAsync(HttpContext context) => KeepstoreRouter.FailAsync(context, StatusCodes.Status405MethodNotAllowed, "method not allowed");

    public async Task TouchAsync(HttpContext context, BlockHash hash, CancellationToken cancellationToken)
    {
        var found = false;
        foreach (var volume in volumes)
        {
            found |= await volume.TouchAsync(hash, cancellationToken);
        }

        if (!found)
        {
            await KeepstoreRouter.FailAsync(context, StatusCodes.Status404NotFound, "file does not exist");
        }
    }

    public async Task ShowStatusAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var totals = IndexTotals.None;
        ScanSummary? last = null;
        foreach (var volume in volumes)
        {
            totals += await volume.CountAsync(cancellationToken);
            last = await volume.GetLastScanAsync(cancellationToken) is { } scan && (last is null || scan.FinishedSeconds > last.FinishedSeconds) ? scan : last;
        }

        var status = new GatewayStatus(
            totals.Hashes,
            totals.Candidates,
            totals.Objects,
            new LastScan(last?.StartedSeconds ?? 0, last?.FinishedSeconds ?? 0, last?.Errors ?? 0),
            new RemoteStatus(volumes.Sum(volume => volume.Counters.Requests), volumes.Sum(volume => volume.Counters.Errors)));
        context.Response.ContentType = "application/json";
        var text = JsonSerializer.Serialize(status, GatewayJson.Default.GatewayStatus) + "\n";
        await (HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.WriteAsync(text, cancellationToken));
    }

    /// <summary>Nothing for a server without gateway volumes.</summary>
    public static void WriteMetrics(MetricsText text, Keepstore keepstore)
    {
        var volumes = VolumesOf(keepstore);
        if (volumes.Count == 0)
        {
            return;
        }

        foreach (var outcome in Enum.GetValues<CandidateOutcome>())
        {
            text.Counter(
                "arvados_keepgw_candidates_total",
                "Candidates tried for blocks.",
                volumes.Sum(volume => volume.Counters[outcome]),
                ("outcome", outcome.ToString().ToLowerInvariant()));
        }

        var totals = volumes.Aggregate(IndexTotals.None, (sum, volume) => sum + volume.LastCount());
        text.Gauge("arvados_keepgw_index_hashes", "Hashes with a candidate, counted at most a minute ago.", totals.Hashes)
            .Gauge("arvados_keepgw_index_candidates", "Candidates of all hashes, counted at most a minute ago.", totals.Candidates)
            .Counter("keepfs_keepgw_remote_requests", "Requests to the remote store.", volumes.Sum(volume => volume.Counters.Requests))
            .Counter("keepfs_keepgw_remote_errors", "Requests that the remote store did not answer.", volumes.Sum(volume => volume.Counters.Errors))
            .Counter("keepfs_keepgw_remote_read_bytes", "Bytes read from the remote store.", volumes.Sum(volume => volume.Counters.ReadBytes));
    }

    /// <summary>So that the first scrape of the metrics finds numbers.</summary>
    public static void StartCounting(Keepstore keepstore) => VolumesOf(keepstore).ForEach(volume => volume.LastCount());

    private static List<GatewayVolume> VolumesOf(Keepstore keepstore) => [.. keepstore.Mounts.All.Select(mount => mount.Volume).OfType<GatewayVolume>()];
}

internal sealed record GatewayStatus(long Hashes, long Candidates, long Objects, LastScan LastScan, RemoteStatus Remote);

internal sealed record LastScan(long Started, long Finished, long Errors);

internal sealed record RemoteStatus(long Requests, long Errors);

[JsonSerializable(typeof(GatewayStatus))]
internal sealed partial class GatewayJson : JsonSerializerContext;
