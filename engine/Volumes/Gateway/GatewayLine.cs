using System.Buffers;
using System.Buffers.Text;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>One candidate for a hash: which part of which object has that content (keep-gateway.md 4.2). Immutable.</summary>
/// <param name="Offset">First byte in the object.</param>
/// <param name="Length">Bytes, 0 to 64 MiB.</param>
/// <param name="Key">The object.</param>
public sealed record GatewayLine(long Offset, int Length, ObjectKey Key)
{
    // Two numbers of 19 digits and the colons.
    private const int MaxNumbersBytes = 42;

    /// <summary>Parses a line without its line feed; false unless it follows the grammar exactly.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out GatewayLine line)
    {
        line = null!;
        if (!TryParseNumber(ref text, long.MaxValue, out var offset) || !TryParseNumber(ref text, Locator.MaxBlockSizeBytes, out var length)
            || !TryUnescape(text, out var key))
        {
            return false;
        }

        line = new GatewayLine(offset, (int)length, key);
        return true;
    }

    /// <summary>Writes the line with its line feed.</summary>
    public void WriteTo(IBufferWriter<byte> output)
    {
        var numbers = output.GetSpan(MaxNumbersBytes);
        Utf8Formatter.TryFormat(Offset, numbers, out var at);
        numbers[at++] = (byte)':';
        Utf8Formatter.TryFormat(Length, numbers[at..], out var used);
        at += used;
        numbers[at++] = (byte)':';
        output.Advance(at);
        WriteEscaped(output, Key.Bytes);
        output.Write("\n"u8);
    }

    /// <summary>Writes bytes with the escapes of a path: control characters and the backslash as three octal digits.</summary>
    internal static void WriteEscaped(IBufferWriter<byte> output, ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            if (IsLiteral(value))
            {
                output.GetSpan(1)[0] = value;
                output.Advance(1);
                continue;
            }

            var escape = output.GetSpan(4);
            (escape[0], escape[1], escape[2], escape[3]) = ((byte)'\\', (byte)('0' + (value >> 6)), (byte)('0' + ((value >> 3) & 7)), (byte)('0' + (value & 7)));
            output.Advance(4);
        }
    }

    /// <summary>Reads an escaped key; false when it is empty, or has a raw byte or an escape that may not be there.</summary>
    internal static bool TryUnescape(ReadOnlySpan<byte> text, out ObjectKey key)
    {
        key = null!;
        var bytes = new byte[text.Length];
        var length = 0;
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == (byte)'\\')
            {
                if (text.Length < at + 4 || text[at + 1] is not (>= (byte)'0' and <= (byte)'3') || !IsOctal(text[at + 2]) || !IsOctal(text[at + 3]))
                {
                    return false;
                }

                bytes[length++] = (byte)(((text[at + 1] - '0') << 6) | ((text[at + 2] - '0') << 3) | (text[at + 3] - '0'));
                at += 3;
            }
            else if (IsLiteral(text[at]))
            {
                bytes[length++] = text[at];
            }
            else
            {
                return false;
            }
        }

        key = new ObjectKey(bytes.AsSpan(0, length));
        return length > 0;
    }

    /// <summary>A decimal number up to <paramref name="max"/> without sign or leading zero, and the colon behind it.</summary>
    private static bool TryParseNumber(ref ReadOnlySpan<byte> text, long max, out long number)
    {
        number = 0;
        var colon = text.IndexOf((byte)':');
        if (colon <= 0 || (text[0] == (byte)'0' && colon > 1))
        {
            return false;
        }

        foreach (var digit in text[..colon])
        {
            var value = digit - '0';
            if (value is < 0 or > 9 || number > (max - value) / 10)
            {
                return false;
            }

            number = (number * 10) + value;
        }

        text = text[(colon + 1)..];
        return true;
    }

    private static bool IsLiteral(byte value) => value is >= 0x20 and not 0x7f and not (byte)'\\';

    private static bool IsOctal(byte value) => value is >= (byte)'0' and <= (byte)'7';
}
