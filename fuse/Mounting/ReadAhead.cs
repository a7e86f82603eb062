using System.Globalization;

namespace KeepFs.Fuse.Mounting;

/// <summary>Asks the kernel for more read-ahead than INIT can (measured: limits.md, FUSE).</summary>
internal static class ReadAhead
{
    public static void Raise(string mountPoint, int kib, Action<string> log)
    {
        try
        {
            if (DeviceNumbers(mountPoint) is { } device)
            {
                File.WriteAllText($"/sys/class/bdi/{device}/read_ahead_kb", kib.ToString(CultureInfo.InvariantCulture));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            log($"fuse: sequential reads will be slower: the read-ahead of {mountPoint} could not be set to {kib} KiB: {exception.Message}");
        }
    }

    /// <summary>MAJOR:MINOR of what is mounted there last, without asking it.</summary>
    private static string? DeviceNumbers(string mountPoint) =>
        File.ReadLines("/proc/self/mountinfo")
            .Select(line => line.Split(' ', 6))
            .LastOrDefault(fields => fields.Length == 6 && Unescape(fields[4]) == mountPoint)?[2];

    /// <summary>Blanks, tabs, line ends and backslashes are written as three octal digits.</summary>
    private static string Unescape(string text) =>
        text.Contains('\\', StringComparison.Ordinal)
            ? text.Replace("\\040", " ", StringComparison.Ordinal).Replace("\\011", "\t", StringComparison.Ordinal)
                .Replace("\\012", "\n", StringComparison.Ordinal).Replace("\\134", "\\", StringComparison.Ordinal)
            : text;
}
