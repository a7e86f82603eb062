using System.Diagnostics;
using KeepFs.Cli.Settings;
using KeepFs.Cli.Up;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Demo;

/// <summary>A real <c>keepfs up</c> in a process of its own, with two volumes and a mount, in a folder that goes away afterwards.</summary>
internal sealed class DemoCluster : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);
    private readonly Process _process;
    private readonly string _folder;
    private readonly bool _keep;

    private DemoCluster(Process process, string folder, bool keep) => (_process, _folder, _keep) = (process, folder, keep);

    public string MountPoint => Path.Combine(_folder, "mnt");

    public ArvadosSettings Settings { get; private set; } = null!;

    public Uri WebDavUrl { get; private set; } = null!;

    public ClusterConfig Config { get; private set; } = null!;

    public static async Task<DemoCluster> StartAsync(string folder, bool keep, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            ArgumentList =
            {
                "up", "--data", Path.Combine(folder, "data"), "--volume", Path.Combine(folder, "disk0"), "--volume", Path.Combine(folder, "disk1"),
                "--mount", Path.Combine(folder, "mnt"), "--port-base", FreePorts.Base().ToString(System.Globalization.CultureInfo.InvariantCulture),
            },
        };
        var cluster = new DemoCluster(Process.Start(start)!, folder, keep);
        try
        {
            await cluster.AwaitReadyAsync(cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _ = Mono.Unix.Native.Syscall.kill(_process.Id, Mono.Unix.Native.Signum.SIGTERM);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        if (!_keep)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private async Task AwaitReadyAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StartLimit);
        while (await _process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (line == "ready")
            {
                var env = ArvadosSettings.Parse(File.ReadLines(Path.Combine(_folder, "data", "env")).Select(text => text.Replace("export ", "", StringComparison.Ordinal).Replace("'", "", StringComparison.Ordinal)));
                Settings = ArvadosSettings.From(env);
                WebDavUrl = new Uri(env["KEEPFS_WEBDAV_URL"]);
                Config = ClusterConfigLoader.Load(Path.Combine(_folder, "data", "config.yml")).Config;
                return;
            }
        }

        await _process.WaitForExitAsync(cancellationToken);
        throw new CommandException("keepfs up did not start; its message stands above.");
    }
}
