using System.Globalization;
using System.Text;
using KeepFs.Cli.Mount;
using KeepFs.Fuse.Takeover;

namespace KeepFs.Cli.Supervise;

/// <summary><c>keepfs mount --upgrade DIR</c>: finds the process that serves a held mount and asks its holder for another one.</summary>
internal static class MountUpgrade
{
    /// <exception cref="CommandException">No mount of ours at that place, or not a supervised one.</exception>
    public static void Run(string directory)
    {
        // Not resolved: that would ask the mount, which may just be waiting for a process.
        var mountPoint = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        var holder = Directory.EnumerateDirectories("/proc").Select(path => HolderOf(path, mountPoint)).FirstOrDefault(found => found is not null)
            ?? throw new CommandException($"No process of yours serves a supervised mount at {mountPoint}. Was it mounted with keepfs mount --supervise?");
        Posix.Signal(holder, UpgradeSignal.Number);
        Console.WriteLine($"a new process takes over {mountPoint}");
    }

    /// <summary>The parent of a process that serves the mount; null for any other process, and for one of another user.</summary>
    private static int? HolderOf(string process, string mountPoint)
    {
        try
        {
            var environment = Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(process, "environ"))).Split('\0');
            if (!environment.Any(line => line.StartsWith(HeldMount.EnvironmentVariable + "=", StringComparison.Ordinal) && line.EndsWith(";" + mountPoint, StringComparison.Ordinal)))
            {
                return null;
            }

            var parent = File.ReadLines(Path.Combine(process, "status")).First(line => line.StartsWith("PPid:", StringComparison.Ordinal));
            return int.Parse(parent.AsSpan(5).Trim(), NumberStyles.None, CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
