using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using KeepFs.Cli.Output;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Engine.Volumes.Gateway;
using KeepFs.Hosting.Configuration;
using KeepFs.KeepstoreHost;
using Mono.Unix.Native;

namespace KeepFs.Cli.Doctor;

/// <summary>The volumes that servers of this machine mount.</summary>
/// <param name="config">The cluster.</param>
/// <param name="here">URLs of the servers of this machine.</param>
/// <param name="isUp">Volumes need not be disks of their own.</param>
/// <param name="tools">The disks and the clock.</param>
internal sealed class VolumeChecks(ClusterConfig config, IReadOnlySet<string> here, bool isUp, DoctorTools tools)
{
    /// <summary>As the emptier counts them: no upload takes so long.</summary>
    private static readonly TimeSpan StaleAfter = TimeSpan.FromHours(24);
    private const double LittleShare = 0.05;
    private const double LittleInodes = 0.01;
    private readonly Findings _findings = new("volume");

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken)
    {
        var checkedOnes = 0;
        foreach (var (uuid, volume) in config.Volumes.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            var isReadOnly = volume.ReadOnly || volume.AccessViaHosts.Any(host => host.Value.ReadOnly && IsHere(host.Key));
            if (volume.AccessViaHosts.Count > 0 ? !volume.AccessViaHosts.Keys.Any(IsHere) : here.Count == 0)
            {
                continue;
            }

            checkedOnes++;
            switch (volume.Driver)
            {
                case "Directory":
                    CheckDirectory(volume.DriverParameters.GetValueOrDefault("Root") ?? "", uuid, isReadOnly);
                    break;
                case GatewayDriver.Directory or GatewayDriver.S3:
                    await CheckGatewayAsync(uuid, volume, cancellationToken);
                    break;
                default:
                    await CheckRemoteAsync(uuid, volume, cancellationToken);
                    break;
            }
        }

        if (checkedOnes == 0)
        {
            _findings.Warn($"Clusters.{config.ClusterId}.Volumes", "none is mounted by a server of this machine", "run this on a node whose address is in Services.Keepstore.InternalURLs");
        }

        return _findings.All;
    }

    private bool IsHere(string url) => here.Any(own => own.TrimEnd('/') == url.TrimEnd('/'));

    private void CheckDirectory(string root, string uuid, bool isReadOnly)
    {
        if (!Path.IsPathRooted(root) || !Directory.Exists(root))
        {
            _findings.Fail(Named(root, uuid), "is not there", "mount the disk, or create the folder and give it to the user who runs the keepstore");
            return;
        }

        CheckOwner(root);
        CheckMountPoint(root);
        CheckRoom(root, isReadOnly);
        CheckLeftovers(root);
        if (isReadOnly)
        {
            _findings.Ok(root, "is read-only by configuration: no write was tried");
        }
        else
        {
            TryWrite(root);
        }
    }

    private void CheckOwner(string root)
    {
        if (Syscall.stat(root, out var stat) != 0)
        {
            _findings.Fail(root, $"cannot be examined: {Stdlib.GetLastError()}", "look at the disk and at the kernel's log");
            return;
        }

        if (stat.st_uid != Syscall.geteuid())
        {
            _findings.Warn(root, $"belongs to user {stat.st_uid}, and this is user {Syscall.geteuid()}", "run this as the user who runs the keepstore, and give the folder to that user");
        }

        if ((stat.st_mode & FilePermissions.S_IWOTH) != 0)
        {
            _findings.Warn(root, "everybody on this machine may write into it", $"chmod o-w {root}");
        }
    }

    private void CheckMountPoint(string root)
    {
        if (!isUp && Syscall.stat(root, out var own) == 0 && Syscall.stat("/", out var top) == 0 && own.st_dev == top.st_dev)
        {
            _findings.Warn(root, "is on the root file system", "if a disk should be here, it is not mounted; a keepstore would fill the root file system");
        }

        if (Syscall.statvfs(root, out var file) == 0 && (file.f_flag & MountFlags.ST_RDONLY) != 0)
        {
            _findings.Fail(root, "the file system is mounted read-only", "after a disk error the kernel does this: look at its log, or say ReadOnly in the configuration");
        }
    }

    private void CheckRoom(string root, bool isReadOnly)
    {
        if (tools.Disk.GetSpace(root) is { } space && !isReadOnly)
        {
            var shown = $"{Readable.Bytes(space.FreeBytes)} free of {Readable.Bytes(space.TotalBytes)}";
            if (space.FreeBytes < Locator.MaxBlockSizeBytes)
            {
                _findings.Fail(root, $"is full: {shown}, less than one block", "add a volume, or remove what is not Keep's");
            }
            else if (space.FreeBytes < space.TotalBytes * LittleShare)
            {
                _findings.Warn(root, $"is nearly full: {shown}", "add a volume");
            }
            else
            {
                _findings.Ok(root, shown);
            }
        }

        if (Syscall.statvfs(root, out var file) == 0 && file.f_files > 0 && file.f_favail < file.f_files * LittleInodes)
        {
            _findings.Warn(root, $"only {file.f_favail} of {file.f_files} inodes are free", "make the file system anew with more inodes; the room that is left cannot be used");
        }

        var now = tools.Time.GetUtcNow().ToUnixTimeSeconds();
        if (long.TryParse(tools.Disk.ReadLink(Path.Join(root, "full")), NumberStyles.None, CultureInfo.InvariantCulture, out var since) && now - since < 3600)
        {
            _findings.Warn(root, $"is marked as full since {DateTimeOffset.FromUnixTimeSeconds(since):u}", "there is room again an hour later; to use it at once remove the link \"full\"");
        }
    }

    private void CheckLeftovers(string root)
    {
        try
        {
            var old = (tools.Time.GetUtcNow() - StaleAfter - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
            var stale = tools.Disk.List(root).Where(name => name.Length == 3 && name.All(char.IsAsciiHexDigitLower))
                .SelectMany(name => tools.Disk.List(Path.Join(root, name)).Where(file => file.StartsWith("tmp", StringComparison.Ordinal)).Select(file => Path.Join(root, name, file)))
                .Count(path => tools.Disk.Stat(path) is { } stat && stat.MtimeNanoseconds < old);
            if (stale > 0)
            {
                _findings.Warn(root, $"{stale} temporary files are older than a day", "a crash left them; the emptier removes them (Collections.BlobDeleteConcurrency must not be 0)");
            }
        }
        catch (DiskException e)
        {
            _findings.Fail(root, e.Message, "the keepstore's user must be able to read all of it; look also at the kernel's log");
        }
    }

    /// <summary>All that a write of a block needs.</summary>
    private void TryWrite(string root)
    {
        var name = Path.Join(root, "doctor-" + RandomNumberGenerator.GetHexString(16, lowercase: true));
        var renamed = name + ".renamed";
        try
        {
            using (var file = tools.Disk.Open(name, DiskAccess.CreateNew))
            {
                file.Write(Encoding.ASCII.GetBytes("keepfs doctor\n"), 0);
                file.Sync();
            }

            tools.Disk.Rename(name, renamed);
            tools.Disk.SyncDirectory(root);
            tools.Disk.Delete(renamed);
            _findings.Ok(root, "a file was written, synced, renamed and removed");
        }
        catch (DiskException e)
        {
            _findings.Fail(root, $"cannot be written: {e.Message}", e.Error == DiskError.NoSpace ? "make room" : "check its owner and mode, the mount options, and the kernel's log");
            foreach (var path in (string[])[name, renamed])
            {
                TryDelete(path);
            }
        }
    }

    private void TryDelete(string path)
    {
        try
        {
            tools.Disk.Delete(path);
        }
        catch (DiskException)
        {
            // It was not made, or cannot be removed for the reason that was told.
        }
    }

    private async Task CheckGatewayAsync(string uuid, VolumeConfig volume, CancellationToken cancellationToken)
    {
        var mappings = volume.DriverParameters.GetValueOrDefault("MappingsDir") ?? "";
        if (!Directory.Exists(mappings))
        {
            _findings.Fail(Named(mappings, uuid), "the folder of the index is not there", "create it, and fill it with keepfs gateway index");
            return;
        }

        try
        {
            await using var source = GatewaySource.Create(volume, tools.Time);
            await source.StatAsync(new ObjectKey("keepfs-doctor"), cancellationToken);
            _findings.Ok(source.DeviceId, "answers");
        }
        catch (Exception e) when (e is KeepException or ObjectUnavailableException)
        {
            _findings.Fail(uuid, e.Message, "correct DriverParameters, or the permissions of the store");
        }
    }

    private async Task CheckRemoteAsync(string uuid, VolumeConfig volume, CancellationToken cancellationToken)
    {
        try
        {
            var device = await VolumeProbe.TryAsync(volume, cancellationToken);
            _findings.Ok(device, "can be listed");
        }
        catch (KeepException e)
        {
            _findings.Fail(uuid, e.Message, "correct DriverParameters, or the permissions of the store");
        }
    }

    private static string Named(string path, string uuid) => path.Length > 0 ? path : uuid;
}
