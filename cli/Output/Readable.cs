using System.Globalization;

namespace KeepFs.Cli.Output;

/// <summary>Numbers for people.</summary>
internal static class Readable
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>Bytes with a binary unit, such as <c>1.5 GiB</c>.</summary>
    public static string Bytes(double bytes)
    {
        var unit = 0;
        while (bytes >= 1024 && unit < Units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return bytes.ToString(unit == 0 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + Units[unit];
    }

    /// <summary>Megabytes (10^6) a second.</summary>
    public static string Rate(long bytes, TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6 / Math.Max(time.TotalSeconds, 1e-3):0.0} MB/s");

    /// <summary>With thousands separated.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
