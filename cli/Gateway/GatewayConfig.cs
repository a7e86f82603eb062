using KeepFs.Cli.Settings;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Gateway;

/// <summary>Finds, in a cluster's configuration, the gateway that can serve a folder or a bucket, and the settings of a client of that cluster.</summary>
internal sealed record GatewayConfig(ClusterConfig Cluster, string ConfigFile, ArvadosSettings Settings)
{
    /// <summary>From a configuration file, or from the folder of a <c>keepfs up</c>.</summary>
    /// <exception cref="CommandException">There is none, or no token.</exception>
    public static GatewayConfig Load(string? configFile, string data)
    {
        var file = configFile ?? Path.Combine(data, "config.yml");
        if (!File.Exists(file))
        {
            throw new CommandException(configFile is null
                ? $"There is no {file}: start `keepfs up` first, or say with --data or --config where the cluster's configuration is."
                : $"There is no {file}.");
        }

        var env = Path.Combine(data, "env");
        var settings = configFile is null && File.Exists(env) ? ArvadosSettings.From(ArvadosSettings.ParseEnv(File.ReadLines(env))) : ArvadosSettings.Load();
        return new GatewayConfig(ClusterConfigLoader.Load(file).Config, file, settings);
    }

    /// <summary>The volume of a gateway whose root holds the folder; the nearest root if there are several.</summary>
    /// <exception cref="CommandException">None does.</exception>
    public VolumeConfig VolumeFor(string folder) =>
        Cluster.Volumes.Values
            .Where(volume => volume.Driver == GatewayDriver.Directory && IsBelow(folder, RootOf(volume)))
            .OrderByDescending(volume => RootOf(volume).Length)
            .FirstOrDefault()
            ?? throw new CommandException($"{ConfigFile} has no volume of the driver {GatewayDriver.Directory} whose Root holds {folder}. `keepfs up` makes one when it starts; elsewhere add one (docs/keepstore.md, \"Gateways\").");

    /// <summary>Where a gateway of this volume is asked, or null when an ordinary keepstore mounts it.</summary>
    public string? GatewayUrlOf(VolumeConfig volume) =>
        Cluster.Services.Keepgw.InternalURLs.Keys.FirstOrDefault(url => volume.AccessViaHosts.Count == 0 || volume.AccessViaHosts.Keys.Any(host => host.TrimEnd('/') == url.TrimEnd('/')));

    public static string RootOf(VolumeConfig volume) =>
        volume.DriverParameters.GetValueOrDefault("Root") is { Length: > 0 } root ? LocalPath.Real(root) : throw new CommandException("A gateway volume has no Root.");

    private static bool IsBelow(string folder, string root) => root == "/" || folder == root || folder.StartsWith(root + "/", StringComparison.Ordinal);
}
