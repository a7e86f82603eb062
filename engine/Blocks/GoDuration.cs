using System.Buffers;
using System.Globalization;
using System.Text;

namespace KeepFs.Engine.Blocks;

/// <summary>Durations as Go and Arvados write them: <c>336h0m0s</c>, <c>1.5s</c>, <c>300ms</c>, <c>0</c>. Resolution 100 ns.</summary>
public static class GoDuration
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    private static readonly (string Unit, decimal Ticks)[] Units =
    [
        ("ns", 0.01m), ("us", 10), ("µs", 10), ("μs", 10), ("ms", TimeSpan.TicksPerMillisecond),
        ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute), ("h", TimeSpan.TicksPerHour),
    ];

    /// <summary>Parses numbers with units, added up, with an optional sign; a bare number is refused except <c>0</c>.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var isNegative = text.StartsWith('-');
        var rest = text.AsSpan(text is ['-' or '+', ..] ? 1 : 0);
        if (rest is "0")
        {
            return true;
        }

        var ticks = 0m;
        do
        {
            var digits = rest.IndexOfAnyExcept(NumberCharacters);
            if (digits <= 0 || !decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            {
                return false;
            }

            rest = rest[digits..];
            var end = rest.IndexOfAny(NumberCharacters);
            var name = (end < 0 ? rest : rest[..end]).ToString();
            rest = rest[name.Length..];
            var unit = Array.FindIndex(Units, candidate => candidate.Unit == name);
            if (unit < 0 || number > long.MaxValue / Units[unit].Ticks || (ticks += number * Units[unit].Ticks) > long.MaxValue)
            {
                return false;
            }
        }
        while (!rest.IsEmpty);
        duration = new TimeSpan((long)(isNegative ? -ticks : ticks));
        return true;
    }

    /// <summary>Writes a duration as Go does.</summary>
    public static string Format(TimeSpan duration)
    {
        var text = new StringBuilder(duration < TimeSpan.Zero ? "-" : "");
        var ticks = Math.Abs((decimal)duration.Ticks);
        if (ticks is > 0 and < TimeSpan.TicksPerSecond)
        {
            var (value, unit) = ticks >= TimeSpan.TicksPerMillisecond ? (ticks / TimeSpan.TicksPerMillisecond, "ms")
                : ticks >= 10 ? (ticks / 10, "µs") : (ticks * 100, "ns");
            return text.Append(CultureInfo.InvariantCulture, $"{value:0.####}{unit}").ToString();
        }

        var (hours, minutes) = ((long)(ticks / TimeSpan.TicksPerHour), (long)(ticks % TimeSpan.TicksPerHour / TimeSpan.TicksPerMinute));
        if (hours > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"{hours}h");
        }

        if (hours > 0 || minutes > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"{minutes}m");
        }

        return text.Append(CultureInfo.InvariantCulture, $"{ticks % TimeSpan.TicksPerMinute / TimeSpan.TicksPerSecond:0.#######}s").ToString();
    }
}
