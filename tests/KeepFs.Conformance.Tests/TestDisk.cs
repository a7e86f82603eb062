using System.Diagnostics;
using System.Globalization;

namespace KeepFs.Conformance.Tests;

/// <summary>
/// A small file system of its own that can be taken away, made read-only or filled, in a mount namespace of its own, so that nothing is left
/// behind: ext4 in an image for root, tmpfs in a user namespace for others. The kernel must allow one of them.
/// </summary>
internal sealed class TestDisk : IAsyncDisposable
{
    private static readonly bool IsRoot = Environment.UserName == "root";
    private readonly string _folder;
    private readonly Process _holder;

    private TestDisk(string folder, Process holder) => (_folder, _holder) = (folder, holder);

    /// <summary>The mount point, as seen in the namespace; outside it is an empty folder.</summary>
    public string Root => Path.Combine(_folder, "disk");

    /// <summary>The same for processes outside the namespace.</summary>
    public string FromOutside => string.Create(CultureInfo.InvariantCulture, $"/proc/{_holder.Id}/root{Root}");

    /// <summary>Makes and mounts it. Few inodes are a cheap way to run out of room.</summary>
    public static async Task<TestDisk> CreateAsync(int megabytes = 256, int inodes = 20_000)
    {
        var folder = Directory.CreateTempSubdirectory("keepfs-disk-").FullName;
        var holder = Shell.Start("unshare", [.. IsRoot ? (string[])["--mount"] : ["--mount", "--map-root-user"], "sh", "-c", "echo ready; exec sleep 100000"], new Dictionary<string, string>(), folder);
        var disk = new TestDisk(folder, holder);
        try
        {
            if (await holder.StandardOutput.ReadLineAsync() != "ready")
            {
                Assert.Fail("This user may not have mounts of its own (unshare --mount): run the tests as root or allow user namespaces. " + await holder.StandardError.ReadToEndAsync());
            }

            Directory.CreateDirectory(disk.Root);
            Directory.CreateDirectory(Path.Combine(folder, "all"));
            await disk.RunAsync(IsRoot
                ? $"truncate -s {megabytes}M image; mkfs.ext4 -q -N {inodes} image; mount -o loop image all"
                : $"mount -t tmpfs -o size={megabytes}m,nr_inodes={inodes} keepfs-test all");
            await disk.MountAsync();
            return disk;
        }
        catch
        {
            await disk.DisposeAsync();
            throw;
        }
    }

    public Task MountAsync() => RunAsync("mount --bind all disk");

    /// <summary>Whoever has files of it open keeps them; the name is that of the empty folder below.</summary>
    public Task UnmountAsync() => RunAsync("umount -l disk");

    public Task MakeReadOnlyAsync() => RunAsync(IsRoot ? "mount -o remount,ro disk" : "mount -o remount,bind,ro disk");

    public Task MakeWritableAsync() => RunAsync(IsRoot ? "mount -o remount,rw disk" : "mount -o remount,bind,rw disk");

    /// <summary>Runs a script in the namespace, in the folder that has the mount point.</summary>
    public async Task<string> RunAsync(string script)
    {
        var result = await Shell.RunAsync("nsenter", [.. Enter, "bash", "-c", $"set -eu -o pipefail\ncd {_folder}\n" + script]);
        result.Ok();
        return result.Output;
    }

    /// <summary>The program and arguments that run something in the namespace.</summary>
    public string[] Enter =>
    [
        "--target", _holder.Id.ToString(CultureInfo.InvariantCulture), "--mount", .. IsRoot ? (string[])[] : ["--user", "--preserve-credentials"],
    ];

    public async ValueTask DisposeAsync()
    {
        _holder.Kill();
        await _holder.WaitForExitAsync();
        _holder.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
