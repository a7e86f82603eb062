using System.Globalization;
using System.Text;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>The last scan of an index that came to its end; kept in the file <c>scan</c> beside the mappings.</summary>
/// <param name="StartedSeconds">Unix time.</param>
/// <param name="FinishedSeconds">Unix time.</param>
/// <param name="Errors">Objects that could not be read.</param>
public sealed record ScanSummary(long StartedSeconds, long FinishedSeconds, long Errors)
{
    private const string FileName = "scan";

    /// <summary>Reads it; null when no scan has ended yet.</summary>
    public static ScanSummary? Read(GatewayIndex index) =>
        index.Files.Read(PathIn(index)) is { } bytes && Encoding.UTF8.GetString(bytes).Trim().Split(' ') is [var started, var finished, var errors]
        && long.TryParse(started, NumberStyles.None, CultureInfo.InvariantCulture, out var startedSeconds)
        && long.TryParse(finished, NumberStyles.None, CultureInfo.InvariantCulture, out var finishedSeconds)
        && long.TryParse(errors, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? new ScanSummary(startedSeconds, finishedSeconds, count)
            : null;

    internal void Write(GatewayIndex index) =>
        index.Files.Replace(PathIn(index), Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{StartedSeconds} {FinishedSeconds} {Errors}\n")));

    private static string PathIn(GatewayIndex index) => Path.Join(index.Directory, FileName);
}
