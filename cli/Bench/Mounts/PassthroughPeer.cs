using System.Diagnostics;

namespace KeepFs.Cli.Bench.Mounts;

/// <summary>libfuse's own example of a fast file system in C, compiled from the source that Debian's libfuse3-dev ships; it passes everything on to a folder.</summary>
internal sealed class PassthroughPeer(BenchData data, string folder) : MountPeer
{
    public const string Title = "passthrough_ll";
    private const string Source = "/usr/share/doc/libfuse3-dev/examples/passthrough_ll.c";
    private MountedChild? _child;

    public override string Name => Title;

    public override string Writable => MountPoint + folder + "/below";

    public override string Readable => MountPoint + data.Folder;

    private string MountPoint => Path.Combine(folder, "mnt");

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.Combine(folder, "below"));
        if (!File.Exists(Source) && !File.Exists(Source + ".gz"))
        {
            throw new CommandException("passthrough_ll's source is missing: apt-get install libfuse3-dev gcc pkg-config, or leave it out with --without passthrough_ll.", 2);
        }

        var script = $"cd \"$0\" && cp {Path.GetDirectoryName(Source)}/passthrough* . && gunzip -f *.gz 2>/dev/null; cc -O2 -D_FILE_OFFSET_BITS=64 passthrough_ll.c $(pkg-config --cflags --libs fuse3) -o passthrough_ll";
        using (var compiler = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script, folder]) { RedirectStandardError = true })!)
        {
            var errors = await compiler.StandardError.ReadToEndAsync(cancellationToken);
            await compiler.WaitForExitAsync(cancellationToken);
            if (compiler.ExitCode != 0)
            {
                throw new CommandException($"passthrough_ll cannot be compiled (apt-get install libfuse3-dev gcc pkg-config): {errors}", 2);
            }
        }

        await MountAsync(cancellationToken);
    }

    public override async Task RestartColdAsync(CancellationToken cancellationToken)
    {
        await _child!.DisposeAsync();
        await MountAsync(cancellationToken);
    }

    /// <summary>It keeps a descriptor for each inode that the kernel knows, and there are only so many.</summary>
    public override Task RefreshAsync(CancellationToken cancellationToken) => RestartColdAsync(cancellationToken);

    public override ValueTask DisposeAsync() => _child?.DisposeAsync() ?? default;

    private async Task MountAsync(CancellationToken cancellationToken) =>
        _child = await MountedChild.StartAsync([Path.Combine(folder, "passthrough_ll"), "-f", "-o", "cache=always", MountPoint], new Dictionary<string, string>(), MountPoint, Path.Combine(folder, "log"), cancellationToken);
}
