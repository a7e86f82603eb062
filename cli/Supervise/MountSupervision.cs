using System.Runtime.InteropServices;
using KeepFs.Cli.Mount;
using KeepFs.Fuse.Takeover;

namespace KeepFs.Cli.Supervise;

/// <summary>
/// <c>keepfs mount --supervise</c>: this process mounts and keeps the mount; the same command, started again by it, serves it. SIGHUP and
/// SIGUSR1 let a new one take over, as <c>keepfs mount --upgrade DIR</c> does.
/// </summary>
internal static class MountSupervision
{
    /// <param name="settings">What is mounted where.</param>
    /// <param name="arguments">The command line of this process, for the one that serves.</param>
    /// <param name="ready">Called when it serves.</param>
    /// <param name="cancellationToken">Saves, unmounts and ends.</param>
    public static async Task<int> RunAsync(MountSettings settings, IReadOnlyList<string> arguments, Action ready, CancellationToken cancellationToken)
    {
        using var holder = await MountHolder.MountAsync(settings.Fuse, settings.Log);
        void Upgrade(PosixSignalContext context)
        {
            context.Cancel = true;
            holder.Upgrade();
        }

        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Upgrade);
        using var user = PosixSignalRegistration.Create(UpgradeSignal.Number, Upgrade);
        return await holder.RunAsync(ThisProgram.With(arguments), ready, cancellationToken);
    }
}
