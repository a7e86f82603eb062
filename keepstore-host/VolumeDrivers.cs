using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Hosting.Configuration;
using KeepFs.Volumes.Azure;
using KeepFs.Volumes.S3;

namespace KeepFs.KeepstoreHost;

/// <summary>Opens a configured volume by its Driver (keepstore-http.md 11).</summary>
internal static class VolumeDrivers
{
    private static readonly string[] S3Operations = ["get", "put", "head", "delete", "list"];

    private static readonly string[] AzureOperations =
        ["exists", "get", "get_range", "get_metadata", "get_properties", "create", "set_metadata", "delete", "list"];

    /// <summary>The volume and what counts its operations; null when faults were added.</summary>
    /// <param name="volume">Its configuration.</param>
    /// <param name="trash">When blocks may go.</param>
    /// <param name="path">Of the volume in the configuration.</param>
    /// <param name="faults">Gets what is wrong.</param>
    /// <exception cref="KeepException">It cannot be opened.</exception>
    public static (IVolume Volume, IVolumeMeter Meter)? Open(VolumeConfig volume, TrashPolicy trash, string path, List<string> faults)
    {
        var before = faults.Count;
        var parameters = new DriverParameters(volume.DriverParameters, $"{path}.DriverParameters", faults);
        switch (volume.Driver)
        {
            case "Directory":
                var disk = new DiskMeter();
                return (OpenDirectory(parameters, trash, disk), disk);
            case "S3":
                var s3 = new ObjectMeter(S3Operations);
                var s3Options = S3VolumeOptions.Parse(parameters, trash);
                return faults.Count == before ? (new S3Volume(s3Options, s3), s3) : null;
            case "Azure":
                var azure = new ObjectMeter(AzureOperations);
                var azureOptions = AzureVolumeOptions.Parse(parameters, trash);
                return faults.Count == before ? (new AzureVolume(azureOptions, azure), azure) : null;
            default:
                faults.Add($"{path}.Driver: '{volume.Driver}' is not known; use Directory, S3, Azure, DirectoryGateway or S3Gateway");
                return null;
        }
    }

    private static DirectoryVolume OpenDirectory(DriverParameters parameters, TrashPolicy trash, DiskMeter meter)
    {
        var root = parameters.Text("Root");
        if (!Directory.Exists(root))
        {
            throw new KeepException(KeepErrorKind.BadRequest, $"Volume root '{root}' must be the absolute path of an existing directory.");
        }

        return new DirectoryVolume(
            new DirectoryVolumeOptions
            {
                Root = root,
                Serialize = parameters.Boolean("Serialize"),
                WritesDirectly = parameters.Boolean("DirectWrites", byDefault: true),
                ShareSyncsFrom = parameters.Boolean("ShareSyncs", byDefault: true) ? DirectoryVolumeOptions.UsualShareSyncsFrom : 0,
                Trash = trash,
            },
            new MeteredDisk(new PosixDisk(), meter));
    }
}
