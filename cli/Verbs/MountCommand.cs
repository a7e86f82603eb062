using System.CommandLine;
using KeepFs.Cli.Settings;
using KeepFs.Cli.Up;
using KeepFs.Engine.FileSystems;
using KeepFs.Fuse;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs mount</c>: the cluster as a folder, until Ctrl-C, SIGTERM or an unmount from outside.</summary>
internal static class MountCommand
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var directory = new Argument<string>("DIR") { Description = "An empty directory; created if missing." };
        var readOnly = new Option<bool>("--read-only") { Description = "Nothing can be changed through the mount." };
        var allowOther = new Option<bool>("--allow-other") { Description = "Other users of this machine may enter (needs user_allow_other in /etc/fuse.conf unless root)." };
        var syncClose = new Option<bool>("--sync-close") { Description = "close() returns only when the file is on the keepstores and saved." };
        var command = new Command("mount", "Mount your collections as a folder (in the foreground).") { directory, readOnly, allowOther, syncClose };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new FuseMountOptions
            {
                MountPoint = parsed.GetRequiredValue(directory),
                IsReadOnly = parsed.GetValue(readOnly),
                AllowOther = parsed.GetValue(allowOther),
                ReplacesDeadMount = true,
            };
            Directory.CreateDirectory(options.MountPoint);
            await using var site = await MountedSite.StartAsync(ArvadosSettings.Load(), options, new CollectionOptions { SyncOnClose = parsed.GetValue(syncClose) }, null, cancellationToken);
            Console.WriteLine($"mounted at {site.MountPoint}: by_id/ and home/; stop with Ctrl-C or fusermount3 -u {site.MountPoint}");
            await Task.WhenAny(site.Unmounted, Task.Delay(Timeout.Infinite, cancellationToken));
            await StopAsync(site);
            return 0;
        });
        return command;
    }

    /// <summary>
    /// Waits until everything is saved: unsaved data is never dropped while the user does not insist, which a second Ctrl-C or SIGTERM does.
    /// </summary>
    public static async Task StopAsync(MountedSite site)
    {
        while (true)
        {
            try
            {
                await site.StopAsync();
                return;
            }
            catch (Exception e) when (e is FsException or AggregateException)
            {
                Console.Error.WriteLine($"keepfs: not everything is saved yet, trying again (Ctrl-C or SIGTERM once more gives up; the next mount saves it then): {e.Message}");
                await Task.Delay(RetryDelay);
            }
        }
    }
}
