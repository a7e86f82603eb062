using KeepFs.Catalog.Storage;
using Microsoft.Extensions.Logging;

namespace KeepFs.Catalog;

/// <summary>Runs the trash sweep, on demand and every <c>TrashSweepInterval</c> (catalog-api.md 6).</summary>
internal sealed partial class Sweeper(CatalogContext catalog, TimeSpan auditLogLifetime, ILogger logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    /// <summary>Sweeps until nothing is due.</summary>
    public async Task SweepAsync(CancellationToken ct)
    {
        while (await catalog.Database.WriteAsync(session => TrashSweep.Step(session, catalog.Uuids, session.Now - auditLogLifetime), ct))
        {
        }
    }

    /// <summary>Starts the periodic sweep; an interval of zero means none.</summary>
    public void Start()
    {
        if (catalog.Config.Collections.TrashSweepInterval > TimeSpan.Zero)
        {
            _loop = RunAsync(_stop.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(catalog.Config.Collections.TrashSweepInterval, catalog.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(ct))
            {
                try
                {
                    await SweepAsync(ct);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // The next tick tries again; nothing is lost by waiting.
                    LogFailed(logger, e);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    [LoggerMessage(5101, LogLevel.Error, "The trash sweep failed; it is tried again at the next interval")]
    private static partial void LogFailed(ILogger logger, Exception e);
}
