using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Engine.Volumes.Gateway;
using KeepFs.Hosting.Configuration;

namespace KeepFs.KeepstoreHost;

/// <summary>Makes the volumes whose blocks are objects of another store (keep-gateway.md 3), and tells which servers may mount them.</summary>
internal sealed class GatewayFactory(ClusterConfig config, KeepstoreServerOptions options, IGatewayEvents events)
{
    public static bool IsGateway(VolumeConfig volume) => volume.Driver is GatewayDriver.Directory or GatewayDriver.S3;

    /// <summary>
    /// Whether a server mounts a volume that names no server. Gateway volumes go to the gateways, if there are any: on a keepstore a balancer
    /// would count them as copies that it can rely on. All others go to the keepstores only.
    /// </summary>
    public bool MayMount(VolumeConfig volume, string serverUrl)
    {
        var gateways = config.Services.Keepgw.InternalURLs.Keys;
        return IsGateway(volume)
            ? !gateways.Any() || gateways.Any(url => MountFactory.SameUrl(url, serverUrl))
            : !gateways.Any(url => MountFactory.SameUrl(url, serverUrl));
    }

    /// <summary>Null: the volume is of another kind.</summary>
    /// <exception cref="KeepException">Its parameters cannot be used.</exception>
    public (IVolume Volume, IVolumeMeter Meter)? TryCreate(VolumeConfig volume)
    {
        if (!IsGateway(volume))
        {
            return null;
        }

        var mappings = Parameter(volume, "MappingsDir");
        if (!Path.IsPathRooted(mappings) || !Directory.Exists(mappings))
        {
            throw new KeepException(KeepErrorKind.BadRequest, $"DriverParameters.MappingsDir '{mappings}' must be the absolute path of an existing directory.");
        }

        var meter = new DiskMeter();
        var opened = new GatewayVolume(
            new GatewayIndex(mappings, new MeteredDisk(new PosixDisk(), meter)),
            GatewaySource.Create(volume, options.Time),
            new GatewayVolumeOptions
            {
                Prefix = new ObjectKey(Parameter(volume, "Prefix")),
                MaxRemoteReads = config.API.MaxKeepBlobBuffers,
                Hashing = options.Hashing,
                Time = options.Time,
            },
            events);
        return (opened, meter);
    }

    private static string Parameter(VolumeConfig volume, string name) => volume.DriverParameters.GetValueOrDefault(name) ?? "";
}
