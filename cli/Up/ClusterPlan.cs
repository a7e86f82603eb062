using System.Net;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Up;

/// <summary>
/// The configuration of a <c>keepfs up</c> cluster: made on the first start, kept and only extended afterwards. Identities (cluster id, keys, volume
/// UUIDs, rendezvous ids) never change; addresses follow the command line.
/// </summary>
internal static class ClusterPlan
{
    private const int CopiesWanted = 2;

    /// <summary>The configuration to run with; written back by the caller when it differs.</summary>
    public static ClusterConfig Make(DataFolder data, UpOptions options, ClusterConfig? last)
    {
        var config = last ?? Fresh(data, options.ClusterId);
        RequireSameCluster(data, options, config);
        var portBase = options.PortBase ?? LastPortBase(config) ?? UpOptions.DefaultPortBase;
        var roots = Roots(data, options, config);
        if (roots.Count > UpOptions.MaxVolumes || portBase is < 1 or > 65535 - UpOptions.KeepstoreOffset - UpOptions.MaxVolumes)
        {
            throw new CommandException($"--port-base must lie between 1 and {65535 - UpOptions.KeepstoreOffset - UpOptions.MaxVolumes}, and there can be at most {UpOptions.MaxVolumes} volumes.", 2);
        }

        // Tokens and data cross the network in clear text otherwise; on loopback TLS would only cost time and warnings.
        var scheme = IPAddress.IsLoopback(options.Listen) ? "http" : "https";
        var host = Host(options.Listen);
        var volumes = new Dictionary<string, VolumeConfig>();
        var urls = new Dictionary<string, InternalUrlConfig>();
        for (var i = 0; i < roots.Count; i++)
        {
            var url = $"{scheme}://{host}:{portBase + UpOptions.KeepstoreOffset + i}/";
            var (uuid, known) = config.Volumes.FirstOrDefault(volume => volume.Value.Driver == "Directory" && RootOf(volume.Value) == roots[i]) is { Key: not null } found
                ? (found.Key, found.Value)
                : ($"{config.ClusterId}-nyw5e-{Secrets.Create(15)}", new VolumeConfig { DriverParameters = new Dictionary<string, string> { ["Root"] = roots[i] } });
            var rendezvous = known.AccessViaHosts.Keys.Select(old => config.Services.Keepstore.InternalURLs.GetValueOrDefault(old)?.Rendezvous).FirstOrDefault(id => id is { Length: > 0 });
            urls[url] = new InternalUrlConfig { Rendezvous = rendezvous ?? Secrets.Create(15) };
            volumes[uuid] = known with { AccessViaHosts = new Dictionary<string, VolumeAccessConfig> { [url] = new() } };
        }

        var gateway = GatewayUrl(config, $"{scheme}://{host}:{portBase + UpOptions.GatewayOffset}/");
        foreach (var (uuid, volume) in GatewayVolumes(data, config))
        {
            volumes[uuid] = volume with { AccessViaHosts = new Dictionary<string, VolumeAccessConfig> { [gateway.Url] = new() } };
        }

        return config with
        {
            Volumes = volumes,
            PostgreSQL = options.Database is null ? config.PostgreSQL : config.PostgreSQL with { Connection = Connection(options.Database) },
            Collections = last is null ? config.Collections with { DefaultReplication = Math.Min(CopiesWanted, roots.Count) } : config.Collections,
            Services = config.Services with
            {
                Controller = Service($"https://{host}:{portBase + UpOptions.ApiOffset}/"),
                Websocket = Service($"wss://{host}:{portBase + UpOptions.ApiOffset}/websocket"),
                WebDAV = Service($"{scheme}://{host}:{portBase + UpOptions.WebOffset}/"),
                Keepstore = new ServiceConfig { InternalURLs = urls },
                Keepgw = new ServiceConfig { InternalURLs = new Dictionary<string, InternalUrlConfig> { [gateway.Url] = gateway.Entry } },
            },
        };
    }

    /// <summary>The folder of a directory volume.</summary>
    public static string RootOf(VolumeConfig volume) => volume.DriverParameters.GetValueOrDefault("Root") ?? "";

    /// <summary>The name by which services on this address are asked: a wildcard address is asked by the machine's name.</summary>
    public static string Host(IPAddress listen) =>
        listen.Equals(IPAddress.Any) || listen.Equals(IPAddress.IPv6Any) ? Dns.GetHostName()
        : listen.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{listen}]"
        : listen.ToString();

    /// <summary>
    /// The gateway, at its place of this start. Its identity stands in manifests of published folders, so it stays whatever the address.
    /// </summary>
    private static (string Url, InternalUrlConfig Entry) GatewayUrl(ClusterConfig config, string url)
    {
        var known = config.Services.Keepgw.InternalURLs.Values.Select(entry => entry.Rendezvous).FirstOrDefault(id => id.Length > 0);
        return (url, new InternalUrlConfig { Rendezvous = known ?? Secrets.Create(15) });
    }

    /// <summary>
    /// One that can serve every folder of this machine: its index says which files. Others that somebody wrote into the file stay.
    /// </summary>
    private static List<KeyValuePair<string, VolumeConfig>> GatewayVolumes(DataFolder data, ClusterConfig config)
    {
        Directory.CreateDirectory(data.GatewayIndex, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var known = config.Volumes.Where(volume => volume.Value.Driver is GatewayDriver.Directory or GatewayDriver.S3).ToList();
        return known.Any(volume => volume.Value.DriverParameters.GetValueOrDefault("MappingsDir") == data.GatewayIndex) ? known : [.. known, new(
            $"{config.ClusterId}-nyw5e-{Secrets.Create(15)}",
            new VolumeConfig
            {
                Driver = GatewayDriver.Directory,
                ReadOnly = true,
                DriverParameters = new Dictionary<string, string> { ["Root"] = "/", ["MappingsDir"] = data.GatewayIndex },
            })];
    }

    private static IReadOnlyDictionary<string, string> Connection(string database)
    {
        try
        {
            return database == "sqlite" ? new Dictionary<string, string>() : Catalog.DatabaseText.Parse(database);
        }
        catch (FormatException e)
        {
            throw new CommandException($"--database: {e.Message}", 2);
        }
    }

    /// <summary>Every UUID of the catalogue begins with the id, and so do those of volumes: it cannot change.</summary>
    private static void RequireSameCluster(DataFolder data, UpOptions options, ClusterConfig config)
    {
        if (options.ClusterId is { } wanted && (wanted.Length != 5 || !wanted.All(c => char.IsAsciiDigit(c) || char.IsAsciiLetterLower(c))))
        {
            throw new CommandException($"--cluster-id must be five characters a-z or 0-9, not \"{wanted}\".", 2);
        }

        if (options.ClusterId is { } other && other != config.ClusterId)
        {
            throw new CommandException($"{data.Path} holds the cluster {config.ClusterId}, whose id cannot change. Leave out --cluster-id, or choose another --data folder for {other}.", 2);
        }
    }

    private static ClusterConfig Fresh(DataFolder data, string? clusterId) => new()
    {
        ClusterId = clusterId ?? "k" + Secrets.Create(4),
        SystemRootToken = Secrets.Create(50),
        ManagementToken = Secrets.Create(50),
        Collections = new CollectionsConfig { BlobSigningKey = Secrets.Create(64) },
        StorageClasses = new Dictionary<string, StorageClassConfig> { ["default"] = new() { Default = true } },
        TLS = new TlsConfig { Certificate = "file://" + data.CertificateFile, Key = "file://" + data.KeyFile, Insecure = true },
        Catalog = new CatalogConfig { SqlitePath = data.DatabaseFile },
    };

    /// <summary>Those of the last time first, in their order: their ports must stay.</summary>
    private static List<string> Roots(DataFolder data, UpOptions options, ClusterConfig config)
    {
        var roots = config.Services.Keepstore.InternalURLs.Keys
            .SelectMany(url => config.Volumes.Values.Where(volume => volume.AccessViaHosts.ContainsKey(url)).Select(RootOf))
            .ToList();
        foreach (var volume in options.Volumes.Select(Path.GetFullPath).Except(roots).ToList())
        {
            Directory.CreateDirectory(volume);
            roots.Add(volume);
        }

        if (roots.Count == 0)
        {
            Directory.CreateDirectory(data.DefaultVolume);
            roots.Add(data.DefaultVolume);
        }

        return roots.FirstOrDefault(root => !Directory.Exists(root)) is { } missing
            ? throw new CommandException($"The volume {missing} is not there. Is its disk mounted? ({data.ConfigFile} names it.)")
            : roots;
    }

    private static int? LastPortBase(ClusterConfig config) =>
        Uri.TryCreate(config.Services.Controller.ExternalURL, UriKind.Absolute, out var url) ? url.Port - UpOptions.ApiOffset : null;

    private static ServiceConfig Service(string url) => new() { ExternalURL = url, InternalURLs = new Dictionary<string, InternalUrlConfig> { [url] = new() } };
}
