using System.Text;

namespace KeepFs.Cli.Mount;

/// <summary>A line of <c>/proc/self/mountinfo</c>.</summary>
/// <param name="Path">Where it is mounted.</param>
/// <param name="Type">File system type, such as <c>fuse.keepfs</c>.</param>
/// <param name="DeviceMinor">Names its connection below /sys/fs/fuse/connections.</param>
internal sealed record MountEntry(string Path, string Type, int DeviceMinor)
{
    public bool IsFuse => Type is "fuse" or "fuseblk" || Type.StartsWith("fuse.", StringComparison.Ordinal);
}

/// <summary>What is mounted, without touching any of it: a hung mount would hang whoever asks it.</summary>
internal static class MountTable
{
    private const string File = "/proc/self/mountinfo";

    /// <summary>All mounts in the order in which they were made; of several at one path the last one is seen.</summary>
    public static IReadOnlyList<MountEntry> Read() => Parse(System.IO.File.ReadLines(File));

    public static IReadOnlyList<MountEntry> Parse(IEnumerable<string> lines)
    {
        var entries = new List<MountEntry>();
        foreach (var fields in lines.Select(line => line.Split(' ')))
        {
            var separator = Array.IndexOf(fields, "-");
            if (separator >= 6 && separator + 1 < fields.Length && int.TryParse(fields[2][(fields[2].IndexOf(':', StringComparison.Ordinal) + 1)..], out var minor))
            {
                entries.Add(new MountEntry(Unescape(fields[4]), fields[separator + 1], minor));
            }
        }

        return entries;
    }

    /// <summary>The kernel writes space, tab, newline and backslash as <c>\ooo</c>.</summary>
    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && text.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0)
            {
                result.Append((char)(((text[i + 1] - '0') << 6) | ((text[i + 2] - '0') << 3) | (text[i + 3] - '0')));
                i += 3;
            }
            else
            {
                result.Append(text[i]);
            }
        }

        return result.ToString();
    }
}
