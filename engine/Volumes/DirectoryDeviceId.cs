namespace KeepFs.Engine.Volumes;

/// <summary>
/// Names the storage under a directory (keepstore-http.md 8): the file system's UUID and the path below its root, so that two hosts
/// that mount it agree; where the UUID cannot be found, host name and path.
/// </summary>
internal static class DirectoryDeviceId
{
    private const string UuidDirectory = "/dev/disk/by-uuid";

    public static string Find(string root)
    {
        try
        {
            return FromMounts(root, File.ReadLines("/proc/self/mountinfo"), UuidOf) ?? Fallback(root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Fallback(root);
        }
    }

    /// <summary>
    /// The same for every path, with type and source where there is no UUID: another text once something else is mounted there, or
    /// nothing, and the old one when the old file system is back.
    /// </summary>
    public static string? Describe(string root)
    {
        try
        {
            return FromMounts(root, File.ReadLines("/proc/self/mountinfo"), UuidOf, withoutUuid: static (type, source) => $"{type}:{source}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Fields of mountinfo: id, parent, device number, root in the file system, mount point, ..., "-", type, source.</summary>
    internal static string? FromMounts(
        string root, IEnumerable<string> mountInfo, Func<string, string?> uuidOf, Func<string, string, string>? withoutUuid = null)
    {
        var (bestPoint, bestRoot, bestType, bestSource) = ("", "", "", "");
        foreach (var fields in mountInfo.Select(line => line.Split(' ')))
        {
            var dash = Array.IndexOf(fields, "-");
            if (dash < 5 || dash + 2 >= fields.Length)
            {
                continue;
            }

            // Later mounts hide earlier ones on the same point.
            var point = fields[4].TrimEnd('/');
            if (point.Length >= bestPoint.Length && (root + "/").StartsWith(point + "/", StringComparison.Ordinal))
            {
                (bestPoint, bestRoot, bestType, bestSource) = (point, fields[3].TrimEnd('/'), fields[dash + 1], fields[dash + 2]);
            }
        }

        return (uuidOf(bestSource) ?? withoutUuid?.Invoke(bestType, bestSource)) is { } name ? name + bestRoot + root[bestPoint.Length..].TrimEnd('/') : null;
    }

    private static string Fallback(string root) => $"{Environment.MachineName}:{root}";

    private static string? UuidOf(string source)
    {
        if (!source.StartsWith("/dev/", StringComparison.Ordinal) || !Directory.Exists(UuidDirectory))
        {
            return null;
        }

        var device = Resolve(source);
        return Directory.EnumerateFiles(UuidDirectory).FirstOrDefault(link => Resolve(link) == device) is { } found ? Path.GetFileName(found) : null;
    }

    private static string Resolve(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
}
