using System.Diagnostics;

namespace KeepFs.Cli.Bench.Mounts;

/// <summary>rclone mount over our own WebDAV: what somebody would use who cannot have ours.</summary>
internal sealed class RclonePeer(BenchCluster cluster, string folder) : MountPeer
{
    public const string Title = "rclone mount";
    private MountedChild? _child;
    private int _starts;

    public override string Name => Title;

    public override string Writable => Path.Combine(MountPoint, "home", "rclone");

    public override string Readable => Path.Combine(MountPoint, "home", BenchCluster.DataName);

    private string MountPoint => Path.Combine(folder, "mnt");

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        await MountAsync(cancellationToken);
        Directory.CreateDirectory(Writable);
    }

    public override async Task RestartColdAsync(CancellationToken cancellationToken)
    {
        await _child!.DisposeAsync();
        await MountAsync(cancellationToken);
    }

    public override ValueTask DisposeAsync() => _child?.DisposeAsync() ?? default;

    private async Task MountAsync(CancellationToken cancellationToken)
    {
        string password;
        try
        {
            using var obscure = Process.Start(new ProcessStartInfo("rclone", ["obscure", cluster.Settings.Token]) { RedirectStandardOutput = true })!;
            password = (await obscure.StandardOutput.ReadToEndAsync(cancellationToken)).Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new CommandException("rclone is missing: apt-get install rclone, or leave it out with --without 'rclone mount'.", 2);
        }

        string[] command =
        [
            "rclone", "mount", ":webdav:", MountPoint, "--webdav-url", cluster.WebDav.ToString(), "--webdav-user", "me", "--webdav-pass", password,
            "--vfs-cache-mode", "writes", "--cache-dir", Path.Combine(folder, $"cache{++_starts}"), "--dir-cache-time", "1h",
        ];
        _child = await MountedChild.StartAsync(command, new Dictionary<string, string>(), MountPoint, Path.Combine(folder, "log"), cancellationToken);
    }
}
