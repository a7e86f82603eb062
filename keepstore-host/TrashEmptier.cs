using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Engine.Volumes;
using KeepFs.Hosting.Configuration;
using Microsoft.Extensions.Logging;

namespace KeepFs.KeepstoreHost;

/// <summary>Deletes expired trash every BlobTrashCheckInterval, first one interval after the start (keepstore-http.md 9.3).</summary>
internal sealed partial class TrashEmptier(MountTable mounts, CollectionsConfig config, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly ILogger _logger = logger;
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    public void Start()
    {
        if (config is { BlobTrash: true, BlobDeleteConcurrency: > 0 } && config.BlobTrashCheckInterval > TimeSpan.Zero)
        {
            _loop = LoopAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
    }

    /// <summary>One volume after another; what fails on one does not keep the others from being emptied.</summary>
    public async Task EmptyOnceAsync(CancellationToken cancellationToken)
    {
        foreach (var mount in mounts.All.Where(mount => mount.AllowTrash))
        {
            try
            {
                LogEmptied(mount.Uuid, await mount.Volume.EmptyTrashAsync(config.BlobDeleteConcurrency, cancellationToken));
            }
            catch (KeepException e)
            {
                LogFailed(mount.Uuid, e);
            }
        }
    }

    private async Task LoopAsync()
    {
        using var timer = new PeriodicTimer(config.BlobTrashCheckInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                await EmptyOnceAsync(_stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    [LoggerMessage(1010, LogLevel.Information, "Emptied the trash of {Mount}: {Totals}")]
    private partial void LogEmptied(string mount, TrashTotals totals);

    [LoggerMessage(1011, LogLevel.Warning, "Cannot empty the trash of {Mount}")]
    private partial void LogFailed(string mount, Exception failure);
}
