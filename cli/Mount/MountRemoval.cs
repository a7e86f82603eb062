using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace KeepFs.Cli.Mount;

/// <summary>
/// Takes mounts of other processes away: <c>--unmount</c>, <c>--unmount-all</c>, <c>--replace</c>. A mount that works is asked first, so that its process
/// saves what it has; one that is in use or hangs for half of the time limit is cut off (mount.md section 1).
/// </summary>
internal sealed class MountRemoval(TimeSpan timeout, string? subtype, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Removes what is mounted at the path; nothing to do when nothing is.</summary>
    /// <exception cref="CommandException">It is not a FUSE mount, or it stays.</exception>
    public async Task RemoveAsync(string path)
    {
        // One on top of the other: each in turn.
        while (At(FullPath(path)) is { } entry)
        {
            if (!entry.IsFuse)
            {
                throw new CommandException($"{path} is a mount of type {entry.Type}, not a FUSE mount; it stays.");
            }

            if (subtype is not null && entry.Type != "fuse." + subtype)
            {
                throw new CommandException($"{path} is a mount of type {entry.Type}, not fuse.{subtype}; it stays.");
            }

            await RemoveAsync(entry);
        }
    }

    /// <summary>Removes every FUSE mount at or below the path, deepest first.</summary>
    public async Task RemoveAllAsync(string path)
    {
        var top = FullPath(path);
        var prefix = top.TrimEnd('/') + "/";
        while (true)
        {
            var entry = MountTable.Read().Where(mount => mount.IsFuse && (subtype is null || mount.Type == "fuse." + subtype))
                .Where(mount => mount.Path == top || mount.Path.StartsWith(prefix, StringComparison.Ordinal))
                .OrderBy(mount => mount.Path.Count(c => c == '/')).LastOrDefault();
            if (entry is null)
            {
                return;
            }

            await RemoveAsync(entry);
        }
    }

    private async Task RemoveAsync(MountEntry entry)
    {
        var before = Count(entry.Path);
        var started = time.GetTimestamp();
        var isCutOff = false;
        while (true)
        {
            var elapsed = time.GetElapsedTime(started);
            if (!isCutOff && elapsed >= timeout / 2)
            {
                isCutOff = true;
                Abort(entry);
            }

            await RunAsync(isCutOff ? ["-u", "-q", "-z", "--", entry.Path] : ["-u", "-q", "--", entry.Path]);
            if (Count(entry.Path) < before)
            {
                return;
            }

            if (elapsed >= timeout)
            {
                throw new CommandException($"{entry.Path} could not be unmounted in {timeout.TotalSeconds:0.###} s (--unmount-timeout). As its owner or root: fusermount3 -u -z {entry.Path}");
            }

            await Task.Delay(Pause, time);
        }
    }

    /// <summary>Whoever waits for the mount gets an error at once. Needs no answer from it.</summary>
    private static void Abort(MountEntry entry)
    {
        try
        {
            File.WriteAllText(string.Create(CultureInfo.InvariantCulture, $"/sys/fs/fuse/connections/{entry.DeviceMinor}/abort"), "1");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The control file system is not there (many containers), or the mount is not ours: root can do the same with a system call, and for
            // others detaching is still worth trying.
            Posix.ForceUnmount(entry.Path);
        }
    }

    private static async Task RunAsync(string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("fusermount3", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            await Task.WhenAll(process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync(), process.WaitForExitAsync());
        }
        catch (Win32Exception e)
        {
            throw new CommandException("Unmounting needs the program fusermount3: install the package fuse3 (apt-get install fuse3).", 1, e);
        }
    }

    private static MountEntry? At(string path) => MountTable.Read().LastOrDefault(mount => mount.Path == path);

    private static int Count(string path) => MountTable.Read().Count(mount => mount.Path == path);

    /// <summary>Symbolic links are followed except in the last name, which may be the hung mount itself.</summary>
    private static string FullPath(string path)
    {
        var full = Path.GetFullPath(path);
        full = full.Length > 1 ? full.TrimEnd('/') : full;
        return Path.GetDirectoryName(full) is { } parent ? Path.Combine(RealPath(parent), Path.GetFileName(full)) : full;
    }

    private static string RealPath(string path)
    {
        try
        {
            return Mono.Unix.UnixPath.GetCompleteRealPath(path);
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            return path;
        }
    }
}
