using KeepFs.Cli.Mount;
using KeepFs.Cli.Settings;
using KeepFs.Cli.Status;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.FileSystems.Journal;
using KeepFs.Fuse;

namespace KeepFs.Cli.Up;

/// <summary>A cluster mounted as a folder: client, tree and kernel mount, and the order in which they end.</summary>
internal sealed class MountedSite : IAsyncDisposable
{
    /// <summary>Unsaved data; writers wait when it is spent.</summary>
    private const long WriteBytes = 384L << 20;

    /// <summary>How long mounting waits for what an earlier mount had not saved; what takes longer goes on in the background.</summary>
    private static readonly TimeSpan ReplayPatience = TimeSpan.FromSeconds(30);

    private readonly ClientSession _session;
    private readonly SiteFileSystem _site;
    private readonly FuseMount _mount;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _statistics;
    private readonly CollectionServices _services;
    private readonly StatusSocket? _status;
    private readonly DateTimeOffset _startedAt;

    private MountedSite(ClientSession session, CollectionServices services, SiteFileSystem site, FuseMount mount, MountSettings settings)
    {
        (_session, _services, _site, _mount, Log) = (session, services, site, mount, settings.Log);
        _startedAt = services.Time.GetUtcNow();
        var statistics = new MountStatistics(() => MountStatistics.Read(session, settings.Fuse.Counters), Console.Error, TimeProvider.System);
        _statistics = settings.StatisticsInterval > TimeSpan.Zero ? statistics.RunAsync(settings.StatisticsInterval, _ending.Token) : Task.CompletedTask;
        _status = StatusSocket.TryStart(Describe, services.Log);
    }

    public string MountPoint => _mount.MountPoint;

    /// <summary>Ends when somebody unmounts it.</summary>
    public Task Unmounted => _mount.Completion;

    /// <summary>Gets a line that the user should find.</summary>
    public Action<string> Log { get; }

    public static async Task<MountedSite> StartAsync(ArvadosSettings settings, MountSettings mount, CancellationToken cancellationToken)
    {
        var limits = new SessionLimits(mount.Cache.MemoryBytes, WriteBytes, mount.Retries + 1 ?? 3)
        {
            CatalogAttempts = mount.Retries + 1 ?? 4,
            Disk = mount.Cache.Disk,
            Log = mount.Log,
        };
        var session = await ClientSession.ConnectAsync(settings, limits, cancellationToken);
        SiteFileSystem? site = null;
        StagingJournal? journal = null;
        try
        {
            journal = mount.Site.IsReadOnly ? null : await JournalFolder.OpenAsync(mount.JournalFolder, session, mount.Log, cancellationToken);
            var services = new CollectionServices(
                session.Store, session.Catalog, session.WritePool, session.PackPool, mount.Collections, new NodeIds(), TimeProvider.System, mount.Log)
            { Journal = journal, FormerBlocks = session.FormerBlocks };
            if (journal is not null)
            {
                await journal.ReplayAsync(services, ReplayPatience, cancellationToken);
            }

            site = await SiteFileSystem.OpenAsync(services, mount.Site, mount.Listens ? session.Events : null, cancellationToken);
            return new MountedSite(session, services, site, await FuseMount.StartAsync(site, mount.Fuse, mount.Log, cancellationToken), mount);
        }
        catch
        {
            if (site is not null)
            {
                await site.DisposeAsync();
            }

            await (journal?.DisposeAsync() ?? default);
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Saves everything, then unmounts. When something cannot be saved the mount stays and the error says what; calling again tries again.
    /// </summary>
    public async Task StopAsync()
    {
        await using var progress = new UnsavedProgress(_services.Unsaved, _services.Log);
        if (!_mount.Completion.IsCompleted)
        {
            await _site.SyncAllAsync(CancellationToken.None);
            await _mount.UnmountAsync();
        }

        // What was written between the two, or after somebody else unmounted.
        await _site.SyncAllAsync(CancellationToken.None);
    }

    /// <summary>
    /// Saves everything and stops answering, so that another process can take over; <see cref="StopAsync"/> saves the rest. False when
    /// something cannot be saved: then this one goes on.
    /// </summary>
    public async Task<bool> TryHandOverAsync()
    {
        try
        {
            await _site.SyncAllAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is FsException or AggregateException)
        {
            Log($"not handed over to a new process, because not everything can be saved now: {e.Message}");
            return false;
        }

        await _mount.HandOverAsync();
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await (_status?.DisposeAsync() ?? default);
        await _mount.DisposeAsync();
        await _ending.CancelAsync();
        await _statistics;
        _ending.Dispose();
        await _site.DisposeAsync();
        await (_services.Journal?.DisposeAsync() ?? default);
        await _session.DisposeAsync();
    }

    private MountStatus Describe() => new(
        MountPoint,
        Environment.ProcessId,
        _startedAt,
        _services.Journal?.Folder,
        _services.Journal?.Bytes ?? 0,
        _services.Journal?.SyncFailure,
        [
            .. _services.Unsaved().Select(collection => new UnsavedStatus(
                collection.Uuid, collection.FileCount, collection.Bytes, collection.Age.TotalSeconds, collection.LastError,
                [.. collection.Files.Select(file => new UnsavedFileStatus(file.Path, file.Bytes, file.Age.TotalSeconds, file.IsOpen))])),
        ],
        [.. (_services.Journal?.Pending ?? []).Select(chain => new WaitingStatus(chain.Uuid, chain.Folder, chain.Bytes, chain.LeftAt, chain.LastError, Environment.ProcessId))]);
}
