using System.Text.RegularExpressions;

namespace KeepFs.Cli.Keepstore;

/// <summary>
/// Volumes when the command line names none: the directory <c>keep</c> at the top of every mounted file system of a device or in
/// memory, except the root's (keepstore-http.md 14).
/// </summary>
internal static partial class VolumeDiscovery
{
    private const string MountTable = "/proc/self/mountinfo";

    public static IReadOnlyList<VolumeFlag> Find() => Find(File.ReadAllText(MountTable), Directory.Exists);

    /// <param name="mountInfo">As in proc(5): id, parent, device, root, mount point, options, tags, "-", type, source, options.</param>
    /// <param name="isDirectory">Asks the file system.</param>
    public static IReadOnlyList<VolumeFlag> Find(string mountInfo, Func<string, bool> isDirectory)
    {
        var mounts = mountInfo.Split('\n').Select(line => line.Split(' '))
            .Where(fields => Array.IndexOf(fields, "-") is >= 6 and var separator && fields.Length >= separator + 4)

            // A later mount at the same place hides the earlier one.
            .GroupBy(fields => fields[4]).Select(group => group.Last());
        var found = new List<VolumeFlag>();
        var seen = new HashSet<(string Device, string Root)>();
        foreach (var fields in mounts)
        {
            var separator = Array.IndexOf(fields, "-");
            var (point, source) = (Unescape(fields[4]), fields[separator + 2]);
            var keep = Path.Join(point, "keep");
            var isDisk = source == "tmpfs" || source.StartsWith("/dev/", StringComparison.Ordinal);

            // The same directory mounted at two places is one volume: as two, its only copy would count twice.
            if (point != "/" && isDisk && isDirectory(keep) && seen.Add((fields[2], fields[3])))
            {
                var isReadOnly = fields[5].Split(',').Concat(fields[separator + 3].Split(',')).Contains("ro");
                found.Add(new VolumeFlag("Directory", keep, isReadOnly, false));
            }
        }

        return found;
    }

    private static string Unescape(string text) =>
        Octal().Replace(text, match => ((char)Convert.ToInt32(match.Groups[1].Value, 8)).ToString());

    [GeneratedRegex(@"\\([0-7]{3})")]
    private static partial Regex Octal();
}
