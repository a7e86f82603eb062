namespace KeepFs.Hosting.Configuration;

/// <summary>A configuration that must not be used: every fault that was found, each with its config path.</summary>
public sealed class ConfigException(string source, IReadOnlyList<string> faults)
    : Exception($"{source}: {faults.Count} fault(s) in the configuration:{string.Concat(faults.Select(fault => "\n  " + fault))}")
{
    /// <summary>One line each, such as <c>Clusters.zzzzz.API.MaxItemsPerResponse: 'many' is not a whole number (line 7)</c>.</summary>
    public IReadOnlyList<string> Faults { get; } = faults;
}
