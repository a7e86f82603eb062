using System.Globalization;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

/// <summary>
/// Reads the DriverParameters of one volume (keepstore-http.md 11) and collects every fault instead of stopping at the first. Keys that
/// a driver does not know are ignored, as Arvados does: its sample file lists those of all drivers together.
/// </summary>
/// <param name="values">As in the configuration.</param>
/// <param name="path">Where they stand in it, for messages.</param>
/// <param name="faults">Gets one line for each fault. Values are shown, except of text, which may be secret.</param>
public sealed class DriverParameters(IReadOnlyDictionary<string, string> values, string path, ICollection<string> faults)
{
    /// <summary>A text, or the default when there is none or an empty one.</summary>
    public string Text(string key, string byDefault = "") => values.GetValueOrDefault(key) is { Length: > 0 } text ? text : byDefault;

    /// <summary>A text that must be there.</summary>
    public string RequiredText(string key)
    {
        var text = Text(key);
        if (text.Length == 0)
        {
            Fault(key, "is required");
        }

        return text;
    }

    /// <summary>A whole number between two, both allowed.</summary>
    public int Number(string key, int byDefault, int least, int most)
    {
        var text = Text(key);
        if (text.Length == 0)
        {
            return byDefault;
        }

        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        Fault(key, $"'{text}' is not a whole number from {least} to {most}");
        return byDefault;
    }

    /// <summary>True or false.</summary>
    public bool Boolean(string key, bool byDefault = false)
    {
        switch (Text(key).ToUpperInvariant())
        {
            case "":
                return byDefault;
            case "TRUE" or "YES" or "ON":
                return true;
            case "FALSE" or "NO" or "OFF":
                return false;
            default:
                Fault(key, $"'{Text(key)}' is not true or false");
                return byDefault;
        }
    }

    /// <summary>A duration of at least so much.</summary>
    public TimeSpan Duration(string key, TimeSpan byDefault, TimeSpan least)
    {
        var text = Text(key);
        if (text.Length == 0)
        {
            return byDefault;
        }

        if (!GoDuration.TryParse(text, out var duration))
        {
            Fault(key, $"'{text}' is not a duration like 10m or 1h30m");
            return byDefault;
        }

        if (duration < least)
        {
            Fault(key, $"must be at least {GoDuration.Format(least)}");
            return byDefault;
        }

        return duration;
    }

    /// <summary>Adds a fault of one key.</summary>
    public void Fault(string key, string what) => faults.Add($"{path}.{key}: {what}");
}
