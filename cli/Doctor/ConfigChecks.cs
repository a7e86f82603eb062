using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Doctor;

/// <summary>The configuration as a file, and what in it cannot be.</summary>
internal static class ConfigChecks
{
    /// <summary>Null when nothing else can be examined.</summary>
    public static ClusterConfig? Load(string file, Findings findings)
    {
        try
        {
            var (config, warnings) = ClusterConfigLoader.Load(file);
            CheckMode(file, findings);
            foreach (var warning in warnings)
            {
                findings.Warn(file, warning, "correct the key, or leave it if it is meant for another program");
            }

            if (config.Services.Keepstore.InternalURLs.Count == 0)
            {
                findings.Fail($"Clusters.{config.ClusterId}.Services.Keepstore.InternalURLs", "names no keepstore", "add one URL for each");
            }

            findings.Ok(file, $"cluster {config.ClusterId}, {config.Services.Keepstore.InternalURLs.Count} keepstores, {config.Services.Keepgw.InternalURLs.Count} gateways, {config.Volumes.Count} volumes");
            return config;
        }
        catch (ConfigException e)
        {
            foreach (var fault in e.Faults)
            {
                findings.Fail(file, fault, "correct it; no service starts with it");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            findings.Fail(file, e.Message, "say with --config or --data where the configuration is, or run this as a user who may read it");
        }

        return null;
    }

    /// <summary>It holds every secret of the cluster.</summary>
    public static void CheckMode(string file, Findings findings)
    {
        const UnixFileMode others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        if ((File.GetUnixFileMode(file) & others) != 0)
        {
            findings.Warn(file, "everybody on this machine may read its secrets", $"chmod o-rwx {file}");
        }
    }
}
