using KeepFs.Cli.Settings;
using KeepFs.Cli.Status;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.FileSystems.Journal;
using KeepFs.Fuse;

namespace KeepFs.Cli.Up;

/// <summary>A cluster mounted as a folder: client, tree and kernel mount, and the order in which they end.</summary>
internal sealed class MountedSite : IAsyncDisposable
{
    /// <summary>Blocks kept for reading; 512 MiB hold eight full blocks, enough for several sequential readers with read-ahead.</summary>
    private const long CacheBytes = 512L << 20;

    /// <summary>Unsaved data; writers wait when it is spent.</summary>
    private const long WriteBytes = 384L << 20;

    /// <summary>How long mounting waits for what an earlier mount had not saved; what takes longer goes on in the background.</summary>
    private static readonly TimeSpan ReplayPatience = TimeSpan.FromSeconds(30);

    private readonly ClientSession _session;
    private readonly SiteFileSystem _site;
    private readonly FuseMount _mount;

    private readonly CollectionServices _services;
    private readonly StatusSocket? _status;
    private readonly DateTimeOffset _startedAt = DateTimeOffset.UtcNow;

    private MountedSite(ClientSession session, CollectionServices services, SiteFileSystem site, FuseMount mount)
    {
        (_session, _services, _site, _mount) = (session, services, site, mount);
        _status = StatusSocket.TryStart(Describe, services.Log);
    }

    public string MountPoint => _mount.MountPoint;

    /// <summary>Ends when somebody unmounts it.</summary>
    public Task Unmounted => _mount.Completion;

    public static async Task<MountedSite> StartAsync(ArvadosSettings settings, FuseMountOptions mountOptions, CollectionOptions options, string? journalFolder, CancellationToken cancellationToken)
    {
        void Log(string line) => Console.Error.WriteLine("keepfs: " + line);
        var session = await ClientSession.ConnectAsync(settings, CacheBytes, WriteBytes, 3, cancellationToken);
        SiteFileSystem? site = null;
        StagingJournal? journal = null;
        try
        {
            journal = mountOptions.IsReadOnly ? null : await JournalFolder.OpenAsync(journalFolder, session, Log, cancellationToken);
            var services = new CollectionServices(session.Store, session.Catalog, session.WritePool, session.PackPool, options, new NodeIds(), TimeProvider.System, Log) { Journal = journal };
            if (journal is not null)
            {
                await journal.ReplayAsync(services, ReplayPatience, cancellationToken);
            }

            site = await SiteFileSystem.OpenAsync(services, new SiteOptions { IsReadOnly = mountOptions.IsReadOnly }, cancellationToken);
            return new MountedSite(session, services, site, await FuseMount.StartAsync(site, mountOptions, Log, cancellationToken));
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

    public async ValueTask DisposeAsync()
    {
        await (_status?.DisposeAsync() ?? default);
        await _mount.DisposeAsync();
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
