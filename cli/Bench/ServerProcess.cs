using System.Globalization;

namespace KeepFs.Cli.Bench;

/// <summary>What the processes behind a port use, from /proc: also those of a server that somebody else has started on this machine.</summary>
internal sealed class ServerProcess
{
    private const int TicksPerSecond = 100;
    private readonly int[] _ids;

    private ServerProcess(int[] ids) => _ids = ids;

    /// <summary>The processes that listen on this port; null when they cannot be seen (another machine, another user).</summary>
    public static ServerProcess? Behind(int port)
    {
        var sockets = File.ReadLines("/proc/net/tcp").Concat(File.ReadLines("/proc/net/tcp6"))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields is [_, var local, _, "0A", ..] && local.EndsWith(":" + port.ToString("X4", CultureInfo.InvariantCulture), StringComparison.Ordinal))
            .Select(fields => $"socket:[{fields[9]}]")
            .ToHashSet();
        var ids = Directory.EnumerateDirectories("/proc")
            .Where(path => int.TryParse(Path.GetFileName(path), out var id) && id != Environment.ProcessId && HasOpen(path, sockets))
            .Select(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture))
            .ToArray();
        return ids.Length > 0 ? new ServerProcess(ids) : null;
    }

    /// <summary>Processor time so far.</summary>
    public double CpuSeconds() => _ids.Sum(id =>
    {
        // After the name, which may hold anything but ends with the last parenthesis; user and system time are fields 14 and 15.
        var text = File.ReadAllText($"/proc/{id}/stat");
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / (double)TicksPerSecond;
    });

    /// <summary>Forgets the peak so far, where the kernel lets us.</summary>
    public void ResetPeak()
    {
        foreach (var id in _ids)
        {
            try
            {
                File.WriteAllText($"/proc/{id}/clear_refs", "5");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Then the peak is that since its start.
            }
        }
    }

    /// <summary>Most memory that was resident at once.</summary>
    public long PeakBytes() => _ids.Sum(id => File.ReadLines($"/proc/{id}/status")
        .Where(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
        .Sum(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024));

    private static bool HasOpen(string process, HashSet<string> sockets)
    {
        try
        {
            return Directory.EnumerateFiles(process + "/fd").Any(path => new FileInfo(path).LinkTarget is { } target && sockets.Contains(target));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
