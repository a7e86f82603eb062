namespace KeepFs.Conformance.Tests;

/// <summary>What the kernel has mounted.</summary>
internal static class Mounts
{
    public static bool Has(string mountPoint) => Below(mountPoint).Contains(mountPoint);

    /// <summary>Takes away mounts that a failed test or a killed process left.</summary>
    public static async Task RemoveBelowAsync(string folder)
    {
        foreach (var mountPoint in Below(folder))
        {
            await Shell.RunAsync("fusermount3", ["-u", "-q", "-z", mountPoint]);
        }
    }

    private static List<string> Below(string folder) =>
        [.. File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')[4]).Where(path => path == folder || path.StartsWith(folder + "/", StringComparison.Ordinal))];
}
