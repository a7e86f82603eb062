using System.CommandLine;
using System.Reflection;
using KeepFs.Cli.Mount;
using KeepFs.Cli.Settings;
using KeepFs.Cli.Supervise;
using KeepFs.Cli.Up;
using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Takeover;

namespace KeepFs.Cli.Verbs;

/// <summary>
/// <c>keepfs mount</c> and <c>arv-mount</c>: the cluster as a folder, until Ctrl-C, SIGTERM, an unmount from outside, or the end of the command that
/// it was mounted for.
/// </summary>
internal static class MountCommand
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);

    /// <param name="style">Whose defaults count.</param>
    /// <param name="arguments">All of the command line but the command of <c>--exec</c>; a process in the background is started with them.</param>
    /// <param name="exec">The command of <c>--exec</c>, or null.</param>
    public static Command Create(MountStyle style, string[] arguments, string[]? exec)
    {
        var options = new MountOptionSet(style);
        var command = options.CreateCommand();
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (options.WantsVersion(parsed))
            {
                Console.WriteLine($"{command.Name} (KeepFs) {typeof(MountCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion}");
                return 0;
            }

            if (options.Unmounts(parsed) || options.UnmountsAll(parsed))
            {
                var removal = options.Removal(parsed);
                await (options.UnmountsAll(parsed) ? removal.RemoveAllAsync(options.Directory(parsed)) : removal.RemoveAsync(options.Directory(parsed)));
                return 0;
            }

            if (options.Upgrades(parsed))
            {
                MountUpgrade.Run(options.Directory(parsed));
                return 0;
            }

            if (exec is [])
            {
                throw new CommandException("--exec needs a command.", 2);
            }

            // Before anything is started, so that a mistake is told here and once.
            _ = options.Settings(parsed, static _ => { });
            var isHeld = HeldMount.FromEnvironment() is not null;
            var isDaemon = !isHeld && options.IsDaemon(parsed, exec is not null);
            if (isDaemon && !Daemon.IsChild)
            {
                return await Daemon.StartAsync(arguments, options.StandardInput);
            }

            if (isDaemon)
            {
                Daemon.Detach();
            }

            using var log = new MountLog(options.LogFile(parsed));
            if (options.Replaces(parsed) && !isHeld)
            {
                await options.Removal(parsed).RemoveAsync(options.Directory(parsed));
            }

            var settings = options.Settings(parsed, log.Write);
            return options.Supervises(parsed, exec is not null) && !isHeld
                ? await MountSupervision.RunAsync(settings, arguments, isDaemon ? Daemon.ReportReady : static () => { }, cancellationToken)
                : await RunAsync(settings, exec, isDaemon, cancellationToken);
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
                site.Log($"not everything is saved yet, trying again (Ctrl-C or SIGTERM once more gives up; the next mount saves it then): {e.Message}");
                await Task.Delay(RetryDelay);
            }
        }
    }

    private static async Task<int> RunAsync(MountSettings settings, string[]? exec, bool isDaemon, CancellationToken cancellationToken)
    {
        using var upgrade = new UpgradeSignal(settings.Fuse.Held is not null);
        await using var site = await MountedSite.StartAsync(ArvadosSettings.Load(), settings, cancellationToken);
        if (settings.IsVerbose)
        {
            settings.Log($"mounted at {site.MountPoint}, {(settings.Site.IsReadOnly ? "read-only" : "read-write")}");
        }

        var exitCode = 0;
        if (exec is not null)
        {
            exitCode = await ExecChild.RunAsync(exec);
        }
        else
        {
            if (isDaemon)
            {
                Daemon.ReportReady();
            }
            else
            {
                var how = settings.Site.IsReadOnly ? "read-only; " : "";
                Console.WriteLine($"mounted at {site.MountPoint} ({how}stop with Ctrl-C or fusermount3 -u {site.MountPoint})");
            }

            while (await Task.WhenAny(site.Unmounted, upgrade.AskedAsync(cancellationToken)) is { IsCompletedSuccessfully: true } asked && asked != site.Unmounted)
            {
                if (await site.TryHandOverAsync())
                {
                    await StopAsync(site);
                    return HeldMount.HandedOverExitCode;
                }
            }
        }

        await StopAsync(site);
        return exitCode;
    }
}
