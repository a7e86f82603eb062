using System.Globalization;

namespace KeepFs.Fuse.Session;

/// <summary>Whether a calling thread has a fatal signal pending: the kernel then queues SIGKILL to each of its threads.</summary>
internal static class CallerSignals
{
    private const ulong KillBit = 1UL << (9 - 1);
    private const string PendingField = "SigPnd:";

    /// <summary>False for a caller in another pid namespace (id 0); true for one that is gone.</summary>
    public static bool IsBeingKilled(int threadId)
    {
        if (threadId <= 0)
        {
            return false;
        }

        try
        {
            foreach (var line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{threadId}/status")))
            {
                if (line.StartsWith(PendingField, StringComparison.Ordinal))
                {
                    var bits = ulong.Parse(line.AsSpan(PendingField.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                    return (bits & KillBit) != 0;
                }
            }

            return false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception is FileNotFoundException or DirectoryNotFoundException;
        }
    }
}
