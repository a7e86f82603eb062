using System.Globalization;
using System.Text.RegularExpressions;

namespace KeepFs.Engine.Blocks;

/// <summary>Durations as configuration files and the API write them: <c>300ms</c>, <c>1h30m</c>, <c>336h0m0s</c>; a bare 0 is zero.</summary>
public static partial class GoDuration
{
    /// <summary>Parses; false for anything else, such as a number without unit.</summary>
    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text is "0")
        {
            return true;
        }

        var match = Whole().Match(text ?? "");
        if (!match.Success)
        {
            return false;
        }

        double seconds = 0;
        for (var i = 0; i < match.Groups["number"].Captures.Count; i++)
        {
            var unit = match.Groups["unit"].Captures[i].Value switch
            {
                "ns" => 1e-9,
                "us" or "µs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1,
                "m" => 60,
                _ => 3600,
            };
            seconds += double.Parse(match.Groups["number"].Captures[i].Value, CultureInfo.InvariantCulture) * unit;
        }

        if (seconds > TimeSpan.MaxValue.TotalSeconds / 2)
        {
            return false;
        }

        duration = TimeSpan.FromSeconds(match.Groups["sign"].Value == "-" ? -seconds : seconds);
        return true;
    }

    /// <summary>Formats as Go does: <c>336h0m0s</c>, <c>1.5s</c>, <c>300ms</c> as <c>0.3s</c>.</summary>
    public static string Format(TimeSpan duration)
    {
        var sign = duration < TimeSpan.Zero ? "-" : "";
        duration = duration.Duration();
        var seconds = string.Create(CultureInfo.InvariantCulture, $"{duration.Seconds + (duration.Ticks % TimeSpan.TicksPerSecond / (double)TimeSpan.TicksPerSecond):0.#######}s");
        var hours = (long)duration.TotalHours;
        return sign + (hours > 0 ? $"{hours}h{duration.Minutes}m{seconds}" : duration.Minutes > 0 ? $"{duration.Minutes}m{seconds}" : seconds);
    }

    [GeneratedRegex(@"\A(?<sign>[-+]?)((?<number>[0-9]+(\.[0-9]*)?|\.[0-9]+)(?<unit>ns|us|µs|ms|s|m|h))+\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Whole();
}
