using System.Globalization;
using System.Text;
using KeepFs.Engine.Blocks;

namespace KeepFs.Cli.Keepstore;

/// <summary>
/// A command line as Go's programs read it (keepstore-http.md 14): one dash or two, <c>-flag=value</c> or <c>-flag value</c>, booleans
/// only with <c>=</c>, strictly from left to right. Unlike Go's, nothing behind the flags is ignored silently: <c>-readonly true</c>
/// would end the flags there and lose the volumes that follow.
/// </summary>
internal static class GoFlagParser
{
    private const int UsageError = 2;

    /// <summary>Sets the flags in order. False: help was asked for.</summary>
    /// <exception cref="CommandException">Exit code 2, with the reason.</exception>
    public static bool Parse(IReadOnlyList<GoFlag> flags, IReadOnlyList<string> arguments)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (argument.Length < 2 || argument[0] != '-' || argument == "--")
            {
                throw new CommandException($"unexpected argument \"{argument}\": all settings are flags, and a boolean is set with -flag=true", UsageError);
            }

            var text = argument[(argument.StartsWith("--", StringComparison.Ordinal) ? 2 : 1)..];
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? text : text[..equals];
            if (name.Length == 0 || name[0] == '-')
            {
                throw new CommandException($"bad flag syntax: {argument}", UsageError);
            }

            if (flags.FirstOrDefault(flag => flag.Name == name) is not { } found)
            {
                return name is "h" or "help" ? false : throw new CommandException($"flag provided but not defined: -{name} (-h lists all)", UsageError);
            }

            var value = equals >= 0 ? text[(equals + 1)..]
                : found.IsBoolean ? "true"
                : ++i < arguments.Count ? arguments[i]
                : throw new CommandException($"flag needs an argument: -{name}", UsageError);
            try
            {
                found.Set(value);
            }
            catch (FormatException e)
            {
                throw new CommandException($"invalid value \"{value}\" for flag -{name}: {e.Message}", UsageError);
            }
        }

        return true;
    }

    /// <summary>All flags by name with type, help and default.</summary>
    public static string Usage(string program, IReadOnlyList<GoFlag> flags)
    {
        var usage = new StringBuilder($"Usage of {program}:\n");
        foreach (var flag in flags.OrderBy(flag => flag.Name, StringComparer.Ordinal))
        {
            usage.Append(CultureInfo.InvariantCulture, $"  -{flag.Name}{(flag.IsBoolean ? "" : " " + flag.TypeName)}\n    \t{flag.Help}");
            usage.Append(flag.DefaultText.Length > 0 ? $" (default {flag.DefaultText})\n" : "\n");
        }

        return usage.ToString();
    }

    public static bool Boolean(string text) => text switch
    {
        "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
        "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
        _ => throw new FormatException("must be true or false"),
    };

    /// <summary>Decimal, <c>0x</c> hexadecimal or <c>0</c> octal, as Go reads it.</summary>
    public static int Integer(string text)
    {
        var isNegative = text.StartsWith('-');
        var digits = text.AsSpan(text is ['-' or '+', ..] ? 1 : 0);
        var (radix, skip) = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? (16, 2) : digits.Length > 1 && digits[0] == '0' ? (8, 1) : (10, 0);
        long number = 0;
        digits = digits[skip..];
        foreach (var digit in digits)
        {
            var value = char.IsAsciiHexDigit(digit) ? Convert.ToInt32(digit.ToString(), 16) : radix;
            number = value < radix && number <= int.MaxValue ? (number * radix) + value : throw new FormatException("must be an integer that fits");
        }

        number = isNegative ? -number : number;
        return digits.Length > 0 && number is >= int.MinValue and <= int.MaxValue ? (int)number : throw new FormatException("must be an integer that fits");
    }

    public static TimeSpan Duration(string text) =>
        GoDuration.TryParse(text, out var duration) ? duration : throw new FormatException("must be a duration with a unit, like 300ms, 24h or 1h30m");
}
