using System.Globalization;

namespace KeepFs.WebDav.Downloads;

/// <summary>Part of a file.</summary>
internal readonly record struct ByteRange(long Offset, long Length);

/// <summary>The Range header (RFC 9110 14.2, keep-web.md 2.8).</summary>
internal static class ByteRanges
{
    /// <summary>More parts than that in one request are no download but an attack.</summary>
    private const int MaxRanges = 64;

    /// <summary>
    /// Null: send everything (no header, another unit, or parts that together are more than the file). Empty: nothing of it can be sent (416).
    /// </summary>
    public static IReadOnlyList<ByteRange>? Parse(string header, long size)
    {
        const string unit = "bytes=";
        if (!header.StartsWith(unit, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var ranges = new List<ByteRange>();
        foreach (var part in header[unit.Length..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!TryParse(part, size, out var range))
            {
                return [];
            }

            if (range.Length > 0)
            {
                ranges.Add(range);
            }
        }

        return ranges.Count > MaxRanges || ranges.Sum(range => range.Length) > size ? null : ranges;
    }

    /// <summary>False when malformed; a range behind the end has length 0.</summary>
    private static bool TryParse(string part, long size, out ByteRange range)
    {
        range = default;
        var dash = part.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0 || (dash == 0 && part.Length == 1))
        {
            return false;
        }

        if (dash == 0)
        {
            if (!TryNumber(part[1..], out var suffix))
            {
                return false;
            }

            suffix = Math.Min(suffix, size);
            range = new ByteRange(size - suffix, suffix);
            return true;
        }

        var last = long.MaxValue;
        if (!TryNumber(part[..dash], out var first) || (dash + 1 < part.Length && !TryNumber(part[(dash + 1)..], out last)) || last < first)
        {
            return false;
        }

        range = first >= size ? default : new ByteRange(first, Math.Min(last, size - 1) - first + 1);
        return true;
    }

    private static bool TryNumber(string text, out long number) => long.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
