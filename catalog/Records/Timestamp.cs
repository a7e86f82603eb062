using System.Globalization;

namespace KeepFs.Catalog.Records;

/// <summary>
/// Times as they are stored: UTC text of fixed width with microseconds, so that comparing text compares times. The API shows nine
/// fractional digits (catalog-api.md 1.5).
/// </summary>
internal static class Timestamp
{
    private const string Stored = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString(Stored, CultureInfo.InvariantCulture);

    public static DateTimeOffset Parse(string stored) =>
        DateTimeOffset.ParseExact(stored, Stored, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);

    /// <summary>Reads what clients send; null when it is no time. A time without a zone is UTC. Digits after the sixth of the fraction are cut off.</summary>
    public static string? FromClient(string text) =>
        text.Length >= 8 && DateTimeOffset.TryParse(text.EndsWith(" UTC", StringComparison.Ordinal) ? text[..^4] : text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? Format(time)
            : null;

    public static string ToApi(string stored) => string.Concat(stored.AsSpan(0, stored.Length - 1), "000Z");

    /// <summary>The time cut to what is stored.</summary>
    public static DateTimeOffset Truncate(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
}
