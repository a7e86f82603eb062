using System.Buffers;

namespace KeepFs.Engine.Manifests;

/// <summary>Octal escapes of stream and file names (manifests.md section 2).</summary>
public static class ManifestEscape
{
    private static readonly SearchValues<byte> MustEscape = SearchValues.Create(Enumerable.Range(0, 0x21).Select(i => (byte)i).Append((byte)':').Append((byte)'\\').ToArray());

    /// <summary>Writes a name with exactly the escapes that a writer must use.</summary>
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> name)
    {
        while (true)
        {
            var at = name.IndexOfAny(MustEscape);
            if (at < 0)
            {
                output.Write(name);
                return;
            }

            output.Write(name[..at]);
            var c = name[at];
            var escape = output.GetSpan(4);
            escape[0] = (byte)'\\';
            escape[1] = (byte)('0' + (c >> 6));
            escape[2] = (byte)('0' + ((c >> 3) & 7));
            escape[3] = (byte)('0' + (c & 7));
            output.Advance(4);
            name = name[(at + 1)..];
        }
    }

    /// <summary>
    /// Unescapes once: a backslash and three octal digits up to 377 are one byte; everything else stays as it is.
    /// <paramref name="destination"/> is at least as long as the text. Returns the length.
    /// </summary>
    public static int Unescape(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        var length = 0;
        while (true)
        {
            var at = text.IndexOf((byte)'\\');
            if (at < 0)
            {
                text.CopyTo(destination[length..]);
                return length + text.Length;
            }

            text[..at].CopyTo(destination[length..]);
            length += at;
            if (IsEscape(text[at..]))
            {
                destination[length++] = (byte)(((text[at + 1] - '0') << 6) | ((text[at + 2] - '0') << 3) | (text[at + 3] - '0'));
                text = text[(at + 4)..];
            }
            else
            {
                destination[length++] = (byte)'\\';
                text = text[(at + 1)..];
            }
        }
    }

    /// <summary>The text starts with a backslash and three octal digits of value 000 to 377.</summary>
    internal static bool IsEscape(ReadOnlySpan<byte> text) =>
        text.Length >= 4 && text[1] is >= (byte)'0' and <= (byte)'3' && IsOctal(text[2]) && IsOctal(text[3]);

    internal static bool IsOctal(byte c) => c is >= (byte)'0' and <= (byte)'7';
}
