using KeepFs.Cli.Settings;
using KeepFs.Cli.Up;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Demo;

/// <summary>A cluster with two volumes and a mount, in a folder that goes away afterwards.</summary>
internal sealed class DemoCluster : IAsyncDisposable
{
    private readonly ClusterProcess _process;
    private readonly string _folder;
    private readonly bool _keep;

    private DemoCluster(ClusterProcess process, string folder, bool keep)
    {
        (_process, _folder, _keep) = (process, folder, keep);
        Config = ClusterConfigLoader.Load(Path.Combine(process.Data, "config.yml")).Config;
    }

    public string MountPoint => MountPointIn(_folder);

    public ArvadosSettings Settings => _process.Settings;

    public Uri WebDavUrl => _process.WebDavUrl;

    public ClusterConfig Config { get; }

    public static async Task<DemoCluster> StartAsync(string folder, bool keep, CancellationToken cancellationToken)
    {
        try
        {
            string[] volumes = [Path.Combine(folder, "disk0"), Path.Combine(folder, "disk1")];
            return new DemoCluster(await ClusterProcess.StartAsync(Path.Combine(folder, "data"), volumes, MountPointIn(folder), cancellationToken), folder, keep);
        }
        catch when (!keep)
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        if (!_keep)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private static string MountPointIn(string folder) => Path.Combine(folder, "mnt");
}
