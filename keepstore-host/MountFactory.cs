using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Engine.Volumes;
using KeepFs.Hosting.Configuration;

namespace KeepFs.KeepstoreHost;

/// <summary>Turns the configured volumes that this server mounts into mounts (keepstore-http.md 11, blocks.md 5).</summary>
internal static class MountFactory
{
    private const string DefaultClass = "default";

    public static List<Mount> Create(
        ClusterConfig config, string serverUrl, TimeProvider time, GatewayFactory gateways, List<string> faults, Dictionary<string, IVolumeMeter> meters)
    {
        var mounts = new List<Mount>();
        var trash = new TrashPolicy(config.Collections.BlobSigningTTL, config.Collections.BlobTrashLifetime, time);
        foreach (var (uuid, volume) in config.Volumes)
        {
            var path = $"Clusters.{config.ClusterId}.Volumes.{uuid}";
            var access = volume.AccessViaHosts.FirstOrDefault(host => SameUrl(host.Key, serverUrl)).Value;
            if ((volume.AccessViaHosts.Count > 0 || !gateways.MayMount(volume, serverUrl)) && access is null)
            {
                continue;
            }

            if (!gateways.MayMount(volume, serverUrl) && !GatewayFactory.IsGateway(volume))
            {
                faults.Add($"{path}: {serverUrl} is a gateway, which cannot serve a volume of the driver {volume.Driver}");
                continue;
            }

            try
            {
                if ((gateways.TryCreate(volume) ?? VolumeDrivers.Open(volume, trash, path, faults)) is not { } opened)
                {
                    continue;
                }

                meters[uuid] = opened.Meter;
                var isReadOnlyHere = GatewayFactory.IsGateway(volume) || (access?.ReadOnly ?? false);
                var classes = volume.StorageClasses.Where(entry => entry.Value).Select(entry => entry.Key).ToList();
                mounts.Add(new Mount
                {
                    Uuid = uuid,
                    Volume = opened.Volume,
                    AllowWrite = !isReadOnlyHere && !volume.ReadOnly,
                    AllowTrash = !isReadOnlyHere && (!volume.ReadOnly || volume.AllowTrashWhenReadOnly),
                    Replication = Math.Max(1, volume.Replication),
                    StorageClasses = volume.StorageClasses.Count == 0 ? [DefaultClass] : classes,
                    Priority = (volume.StorageClasses.Count == 0 ? [DefaultClass] : classes)
                        .Max(name => (int?)config.StorageClasses.GetValueOrDefault(name)?.Priority) is { } priority ? Math.Max(0, priority) : 0,
                });
            }
            catch (KeepException e)
            {
                faults.Add($"{path}: {e.Message}");
            }
        }

        return mounts;
    }

    /// <summary>The config loader of Arvados adds a slash to service URLs; people often leave it out.</summary>
    public static bool SameUrl(string a, string b) => string.Equals(a.TrimEnd('/'), b.TrimEnd('/'), StringComparison.OrdinalIgnoreCase);
}
