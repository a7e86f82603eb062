using System.Security.Cryptography;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace KeepFs.Hosting.Configuration;

/// <summary>A loaded configuration and what in it was not understood.</summary>
/// <param name="Config">The cluster.</param>
/// <param name="Warnings">Keys that were ignored, one line each; Arvados has many that do not concern us.</param>
public sealed record LoadedClusterConfig(ClusterConfig Config, IReadOnlyList<string> Warnings)
{
    /// <summary>The file; null for text from elsewhere.</summary>
    public ConfigSource? Source { get; init; }
}

/// <summary>Reads an Arvados <c>config.yml</c>: <c>Clusters: {zzzzz: {...}}</c> with exactly one cluster.</summary>
public static class ClusterConfigLoader
{
    /// <summary>Loads a file.</summary>
    /// <exception cref="ConfigException">All faults at once.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static LoadedClusterConfig Load(string path)
    {
        var bytes = File.ReadAllBytes(path);
        return Parse(Encoding.UTF8.GetString(bytes), path) with
        {
            Source = new ConfigSource(Convert.ToHexStringLower(SHA256.HashData(bytes)), File.GetLastWriteTimeUtc(path), DateTimeOffset.UtcNow),
        };
    }

    /// <summary>Loads text; <paramref name="source"/> names it in messages.</summary>
    /// <exception cref="ConfigException">All faults at once.</exception>
    public static LoadedClusterConfig Parse(string yaml, string source)
    {
        var (faults, warnings) = (new List<string>(), new List<string>());
        var config = Bind(yaml, faults, warnings);
        if (config is not null)
        {
            ClusterConfigRules.Check(config, faults);
        }

        return faults.Count == 0 ? new LoadedClusterConfig(config!, warnings) : throw new ConfigException(source, faults);
    }

    private static ClusterConfig? Bind(string yaml, List<string> faults, List<string> warnings)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException e)
        {
            faults.Add($"line {e.Start.Line}: {e.Message}");
            return null;
        }

        var binder = new ConfigBinder(faults, warnings);
        if (stream.Documents.Count == 0 || stream.Documents[0].RootNode is not YamlMappingNode root
            || !root.Children.TryGetValue("Clusters", out var clusters))
        {
            faults.Add("Clusters: missing");
            return null;
        }

        var entries = binder.Entries(clusters, "Clusters").ToList();
        if (entries.Count != 1)
        {
            faults.Add($"Clusters: expected exactly one cluster, found {entries.Count}");
            return null;
        }

        var (id, node, path) = entries[0];
        return (ClusterConfig)binder.Bind(typeof(ClusterConfig), node, path)! with { ClusterId = id };
    }
}
