using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Doctor;

/// <summary>Keys and tokens: that they are there, and too long to be guessed. They are never shown.</summary>
internal static class KeyChecks
{
    /// <summary>Characters of letters and digits that make about 160 bits.</summary>
    private const int StrongLength = 32;

    public static IReadOnlyList<Finding> Run(ClusterConfig config)
    {
        var findings = new Findings("keys");
        var cluster = $"Clusters.{config.ClusterId}";
        Check(config.SystemRootToken, $"{cluster}.SystemRootToken", isNeeded: true, "anybody could list and delete blocks");
        if (config.Collections.BlobSigning)
        {
            Check(config.Collections.BlobSigningKey, $"{cluster}.Collections.BlobSigningKey", isNeeded: true, "nobody could read a block");
        }
        else
        {
            findings.Warn($"{cluster}.Collections.BlobSigning", "is off: whoever knows a block's hash may read it", "switch it on unless the network is trusted");
        }

        if (config.ManagementToken.Length == 0)
        {
            findings.Warn($"{cluster}.ManagementToken", "is empty: health checks are off, and everybody may read the metrics", "set a random token");
        }
        else
        {
            Check(config.ManagementToken, $"{cluster}.ManagementToken", isNeeded: false, "");
        }

        return findings.All;

        void Check(string secret, string path, bool isNeeded, string without)
        {
            if (secret.Length == 0 && isNeeded)
            {
                findings.Fail(path, $"is empty: {without}, so services do not start", "set a random text of 50 letters and digits, the same on all nodes");
            }
            else if (secret.Length < StrongLength || secret.Distinct().Count() < StrongLength / 4)
            {
                findings.Warn(path, $"could be guessed: it has {secret.Length} characters, {secret.Distinct().Count()} different ones", "use a random text of 50 letters and digits; a new signing key makes all present signatures invalid");
            }
            else
            {
                findings.Ok(path, "is set");
            }
        }
    }
}
