using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Engine.Volumes.Gateway;
using KeepFs.Hosting.Configuration;
using KeepFs.Volumes.S3;

namespace KeepFs.KeepstoreHost;

/// <summary>Opens the store behind a gateway volume, for the gateway itself and for whoever fills its index.</summary>
public static class GatewaySource
{
    /// <exception cref="KeepException">The driver parameters do not tell it; all faults at once.</exception>
    public static IObjectSource Create(VolumeConfig volume, TimeProvider time)
    {
        if (volume.Driver == GatewayDriver.Directory)
        {
            return new FileObjects(volume.DriverParameters.GetValueOrDefault("Root") ?? "", time);
        }

        var faults = new List<string>();
        var connection = S3ConnectionOptions.Parse(new DriverParameters(volume.DriverParameters, "DriverParameters", faults));
        return faults.Count == 0 ? new S3Objects(connection) : throw new KeepException(KeepErrorKind.BadRequest, string.Join("; ", faults));
    }
}
