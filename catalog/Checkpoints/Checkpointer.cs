using System.Net.Security;
using System.Text;
using KeepFs.Catalog.Exchange;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Client;
using Microsoft.Extensions.Logging;

namespace KeepFs.Catalog.Checkpoints;

/// <summary>
/// Stores what the catalogue knows as blocks, on demand and every <c>KeepFs.CheckpointInterval</c> when something changed, so that the volumes alone are
/// enough to make it anew (docs/decisions/0040-checkpoints.md). Requests never wait for it. Safe for concurrent use.
/// </summary>
internal sealed partial class Checkpointer : IAsyncDisposable
{
    /// <summary>How long after the start, and how often at most, it is looked whether one is due; also how soon one that failed is tried again.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(5);

    /// <summary>Stopping does not wait longer for a checkpoint that was cancelled.</summary>
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(10);

    private readonly CatalogContext _catalog;
    private readonly CheckpointRecords _records;
    private readonly CheckpointData _data;
    private readonly HttpClient _http;
    private readonly KeepClient _keep;
    private readonly ILogger _logger;
    private readonly string _process = Guid.NewGuid().ToString("N");
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    public Checkpointer(CatalogContext catalog, BaseState baseState, ILogger logger)
    {
        (_catalog, _records, _data, _logger) = (catalog, new CheckpointRecords(catalog, baseState), new CheckpointData(catalog), logger);
        var isInsecure = catalog.Config.TLS.Insecure;
        var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5), AllowAutoRedirect = false, UseCookies = false, UseProxy = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, errors) => isInsecure || errors == SslPolicyErrors.None;
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        // Classes that a volume has by default are asked for by nobody, as with other clients.
        var options = new KeepClientOptions
        {
            Token = catalog.Config.SystemRootToken,
            DefaultReplicas = catalog.Config.Collections.DefaultReplication,
            DefaultStorageClasses = [.. catalog.Config.StorageClasses.Where(pair => pair.Value.Default).Select(pair => pair.Key).Order(StringComparer.Ordinal)],
        };
        _keep = new KeepClient(_http, new RegisteredServices(catalog), options, TimeProvider.System, Random.Shared);
    }

    /// <summary>Starts the periodic ones; an interval of zero means none.</summary>
    public void Start()
    {
        if (_catalog.Config.KeepFs.CheckpointInterval > TimeSpan.Zero)
        {
            _loop = RunAsync(_stop.Token);
        }
    }

    /// <summary>Makes one if anything changed since the last, unless none are wanted.</summary>
    public async Task CatchUpAsync(CancellationToken ct)
    {
        if (_catalog.Config.KeepFs.CheckpointInterval > TimeSpan.Zero)
        {
            await RunOnceAsync(TimeSpan.Zero, ct);
        }
    }

    /// <summary>Makes one now.</summary>
    /// <param name="isFull">It shall not build on earlier ones.</param>
    /// <param name="ct">Ends the work; what is there stays as it is.</param>
    /// <exception cref="ApiException">503: another process makes one, or the keepstores do not store the blocks; the message says why.</exception>
    public async Task<CheckpointHead> MakeAsync(bool isFull, CancellationToken ct) =>
        await TryMakeAsync(isFull, static _ => true, ct) ?? throw new ApiException(503, "another catalogue process is making a checkpoint; try again later");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (await Task.WhenAny(_loop, Task.Delay(StopWithin)) != _loop || !await _one.WaitAsync(StopWithin))
        {
            // A keepstore or database that does not even end what was cancelled: what is stored by then is as good as nothing, and the claim runs out.
            return;
        }

        await _loop;
        _http.Dispose();
        _stop.Dispose();
        _one.Dispose();
    }

    /// <summary>Null when it is not due (any more), or another process makes one.</summary>
    private async Task<CheckpointHead?> TryMakeAsync(bool isFull, Func<CatalogSession, bool> isDue, CancellationToken ct)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, _stop.Token);
        ct = both.Token;
        await _one.WaitAsync(ct);
        try
        {
            // Looked at outside the write first: most of the time there is nothing to do.
            if (!await _catalog.Database.ReadAsync(isDue, ct)
                || await _catalog.Database.WriteAsync(session => isDue(session) ? _records.TryClaim(session, _process) : null, ct) is not { } before)
            {
                return null;
            }

            try
            {
                return await MakeAsync(before, isFull, ct);
            }
            catch (KeepException e)
            {
                throw new ApiException(503, $"the checkpoint was not made: {e.Message}");
            }
            finally
            {
                // Also when cancelled: otherwise the next one would wait until the claim runs out.
                await _catalog.Database.WriteAsync(
                    session =>
                    {
                        _records.Release(session, _process);
                        return true;
                    },
                    CancellationToken.None);
            }
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<CheckpointHead> MakeAsync(CheckpointState before, bool isFull, CancellationToken ct)
    {
        var now = _catalog.Time.GetUtcNow();
        // A clock that was put back must not make old ones look new.
        var earliest = before.At is { } last ? Timestamp.Parse(last) + TimeSpan.FromMicroseconds(1) : now;
        CheckpointHead head;
        CheckpointState after;
        using (var snapshot = await _catalog.Database.OpenSnapshotAsync(ct))
        {
            var session = snapshot.Session;
            var families = isFull ? null : _data.ChangedFamilies(session, before);
            var part = await _data.WriteAsync(session, families, StoreAsync, ct);
            head = new CheckpointHead
            {
                ClusterId = _catalog.Uuids.ClusterId,
                Lineage = before.Lineage,
                Sequence = before.Sequence,
                At = Timestamp.Format(now > earliest ? now : earliest),
                Previous = before.Head,
                Parts = part.IsFull ? [part] : [.. before.Parts, part],
                Counts = _data.Count(session),
            };
            after = before with
            {
                FullSequence = part.IsFull ? head.Sequence : before.FullSequence,
                At = head.At,
                Epoch = CheckpointRecords.Epoch(session),
                Log = CheckpointData.NewestLog(session),
                Parts = head.Parts,
            };
        }

        var block = head.Format(_catalog.Config.SystemRootToken);
        var locator = await StoreAsync(block, ct);
        var mark = new CheckpointMark(head.Sequence, after.FullSequence, head.At, locator);
        await _records.CreateAsync(mark, Manifest(head, locator), ct);
        await _catalog.Database.WriteAsync(
            session =>
            {
                _records.Finish(session, after with { Head = locator });
                return true;
            },
            ct);
        LogMade(_logger, head.Sequence, locator, head.Parts[^1].Records, head.Parts[^1].Blocks.Count, head.Parts.Count > 1);
        return head;
    }

    private static string Manifest(CheckpointHead head, string locator)
    {
        var manifest = new StringBuilder(". ").Append(locator);
        var files = new StringBuilder().Append(System.Globalization.CultureInfo.InvariantCulture, $" 0:{Locator.Parse(locator).SizeBytes}:head");
        var at = (long)Locator.Parse(locator).SizeBytes;
        for (var i = 0; i < head.Parts.Count; i++)
        {
            var size = 0L;
            foreach (var data in head.Parts[i].Blocks)
            {
                manifest.Append(' ').Append(data);
                size += Locator.Parse(data).SizeBytes;
            }

            files.Append(System.Globalization.CultureInfo.InvariantCulture, $" {at}:{size}:part-{i:d3}.jsonl.br");
            at += size;
        }

        return manifest.Append(files).Append('\n').ToString();
    }

    private async Task<string> StoreAsync(ReadOnlyMemory<byte> block, CancellationToken ct)
    {
        var written = await _keep.WriteAsync(block, BlockWriteOptions.Default, ct);
        return await _catalog.Database.WriteAsync(session => _records.Renew(session, _process), ct)
            ? new Locator(written.Locator.Hash, written.Locator.SizeBytes).ToString()
            : throw new ApiException(503, "the checkpoint took so long that another catalogue process has begun one");
    }

    private async Task RunAsync(CancellationToken ct)
    {
        var interval = _catalog.Config.KeepFs.CheckpointInterval;
        using var timer = new PeriodicTimer(interval < LookEvery ? interval : LookEvery, _catalog.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(ct))
            {
                await RunOnceAsync(interval, ct);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    /// <summary>Makes one if the last is at least that old and something changed; a failure is logged.</summary>
    private async Task RunOnceAsync(TimeSpan age, CancellationToken ct)
    {
        try
        {
            await TryMakeAsync(isFull: false, session => IsDue(session, age), ct);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            // The next look tries again.
            LogFailed(_logger, e.Message, e is ApiException or KeepException ? null : e);
        }
    }

    private bool IsDue(CatalogSession session, TimeSpan age)
    {
        var state = _records.Read(session);
        var old = state?.At is { } at ? session.Now - Timestamp.Parse(at) : TimeSpan.MaxValue;

        // In the future: the clock was put back.
        return (old >= age || old < TimeSpan.Zero) && _records.HasChanged(session, state);
    }

    [LoggerMessage(5301, LogLevel.Information, "Checkpoint {Sequence} is stored, its head is {Head}: {Records} records in {Blocks} blocks (builds on earlier ones: {IsPartial})")]
    private static partial void LogMade(ILogger logger, long sequence, string head, long records, int blocks, bool isPartial);

    [LoggerMessage(5302, LogLevel.Warning, "No checkpoint of the catalogue could be made; it is tried again in some minutes: {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason, Exception? e);
}
