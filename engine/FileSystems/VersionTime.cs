using System.Globalization;
using KeepFs.Engine.Catalog;

namespace KeepFs.Engine.FileSystems;

/// <summary>Moments as people write them, and which version of a collection was there then (docs/decisions/0020).</summary>
public static class VersionTime
{
    private static readonly string[] Minutes = ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF"];

    /// <summary>
    /// Reads <c>2026-11-01</c> (the end of that day), <c>2026-11-01T12:00</c>, with seconds and fractions if need be, and <c>Z</c> or <c>+01:00</c> at
    /// its end; without a zone it is the time of <paramref name="zone"/>. A space may stand for the T.
    /// </summary>
    public static bool TryParse(string text, TimeZoneInfo zone, out DateTimeOffset time)
    {
        text = text.Replace(' ', 'T');
        if (DateTime.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            var end = day.AddDays(1).AddTicks(-1);
            time = new DateTimeOffset(end, zone.GetUtcOffset(end));
            return true;
        }

        if (DateTime.TryParseExact(text, Minutes, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local))
        {
            time = new DateTimeOffset(local, zone.GetUtcOffset(local));
            return true;
        }

        return DateTimeOffset.TryParseExact(text, [.. Minutes.Select(format => format + "zzz")], CultureInfo.InvariantCulture, DateTimeStyles.None, out time)
            || DateTimeOffset.TryParseExact(text, [.. Minutes.Select(format => format + "'Z'")], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }

    /// <summary>The newest version that had been saved by then, or null when none had.</summary>
    /// <param name="versions">Newest first.</param>
    /// <param name="time">The moment.</param>
    public static Collection? At(IEnumerable<Collection> versions, DateTimeOffset time) => versions.FirstOrDefault(version => version.ModifiedAt <= time);
}
