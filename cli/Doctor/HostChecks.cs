using System.Globalization;
using KeepFs.Cli.Output;
using KeepFs.Engine.Blocks;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Doctor;

/// <summary>Memory, open files and settings of the kernel.</summary>
internal static class HostChecks
{
    /// <summary>Connections and files for everything that is not a request.</summary>
    private const long SpareFiles = 512;

    /// <summary>Pull, trash and health requests of a whole cluster come at once.</summary>
    private const long NeededBacklog = 1024;

    public static IReadOnlyList<Finding> Run(ClusterConfig config, string proc)
    {
        var findings = new Findings("host");
        CheckMemory(config, findings);
        CheckOpenFiles(config, proc, findings);
        CheckSetting(proc, "sys/net/core/somaxconn", value => value >= NeededBacklog, $"connections that come at once are refused beyond this; set it to {NeededBacklog} or more with sysctl", findings);
        CheckSetting(proc, "sys/vm/overcommit_memory", value => value != 2, "memory is refused when it is asked for and not when it is used: leave room for the buffers in CommitLimit", findings);
        return findings.All;
    }

    private static void CheckMemory(ClusterConfig config, Findings findings)
    {
        var path = $"Clusters.{config.ClusterId}.API.MaxKeepBlobBuffers";
        var wanted = (long)config.API.MaxKeepBlobBuffers * Locator.MaxBlockSizeBytes;
        var given = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (config.API.MaxKeepBlobBuffers <= 0)
        {
            findings.Fail(path, "must be positive", "4 buffers serve a small node");
        }
        else if (wanted > given / 2)
        {
            findings.Warn(
                path,
                $"{config.API.MaxKeepBlobBuffers} buffers are {Readable.Bytes(wanted)}, but a process gets {Readable.Bytes(given)} here: a keepstore uses half of that, {Readable.Bytes(given / 2.0)}",
                $"set it to {Math.Max(2, given / 2 / Locator.MaxBlockSizeBytes)}, or give the machine more memory");
        }
        else
        {
            findings.Ok(path, $"{Readable.Bytes(wanted)} of {Readable.Bytes(given)}");
        }
    }

    private static void CheckOpenFiles(ClusterConfig config, string proc, Findings findings)
    {
        var line = File.ReadLines(Path.Combine(proc, "self/limits")).First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        var soft = line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];

        // A request has a connection, a file, and perhaps a connection to another cluster.
        var needed = SpareFiles + (3L * (config.API.MaxConcurrentRequests + config.API.MaxQueuedRequests));
        if (long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit < needed)
        {
            findings.Warn("open files", $"this shell allows {limit}, {needed} could be needed", $"ulimit -n {needed * 2}, or LimitNOFILE={needed * 2} in the service's unit");
        }
        else
        {
            findings.Ok("open files", $"{soft} allowed, {needed} needed at most");
        }
    }

    private static void CheckSetting(string proc, string name, Func<long, bool> isGood, string advice, Findings findings)
    {
        var file = Path.Combine(proc, name);
        var setting = name["sys/".Length..].Replace('/', '.');
        if (!File.Exists(file) || !long.TryParse(File.ReadAllText(file).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
        {
            findings.Warn(setting, "cannot be read here", "look at it outside of the container");
        }
        else if (isGood(value))
        {
            findings.Ok(setting, value.ToString(CultureInfo.InvariantCulture));
        }
        else
        {
            findings.Warn(setting, $"is {value}", advice);
        }
    }
}
