using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Hosting.Configuration;

namespace KeepFs.KeepstoreHost;

/// <summary>Tries whether a configured volume can be reached, without changing it.</summary>
public static class VolumeProbe
{
    /// <summary>A prefix that few blocks have, so that the answer is short.</summary>
    private const string Prefix = "00000000";

    /// <summary>Opens the volume and lists a little of it; its device.</summary>
    /// <exception cref="KeepException">It cannot be reached; all faults of its parameters at once.</exception>
    public static async Task<string> TryAsync(VolumeConfig volume, CancellationToken cancellationToken)
    {
        var faults = new List<string>();
        var trash = new TrashPolicy(TimeSpan.Zero, TimeSpan.Zero, TimeProvider.System);
        if (VolumeDrivers.Open(volume, trash, "Volume", faults) is not { } opened)
        {
            throw new KeepException(KeepErrorKind.BadRequest, string.Join("; ", faults));
        }

        await using (opened.Volume)
        {
            await foreach (var _ in opened.Volume.IndexAsync(Prefix, cancellationToken))
            {
                break;
            }

            return opened.Volume.DeviceId;
        }
    }
}
