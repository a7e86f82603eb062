using System.Text;

namespace KeepFs.WebDav.S3.Protocol;

/// <summary>Percent-encoding as signatures and XML need it: everything but unreserved characters becomes <c>%XX</c>, upper-case.</summary>
internal static class PercentCode
{
    private const string Hex = "0123456789ABCDEF";
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Decodes once.</summary>
    /// <exception cref="S3Exception">400: a percent sign without two hexadecimal digits, or bytes that are not UTF-8.</exception>
    public static string Decode(string text, bool plusIsSpace)
    {
        if (text.AsSpan().IndexOfAny('%', '+') < 0)
        {
            return text;
        }

        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%')
            {
                if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
                {
                    throw new S3Exception(400, "InvalidURI", "The URL has a bad percent-encoding.");
                }

                bytes[length++] = (byte)((Convert.ToByte(text.Substring(i + 1, 2), 16)));
                i += 2;
            }
            else
            {
                var size = char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? 2 : 1;
                length += plusIsSpace && text[i] == '+' ? Put(bytes, length, (byte)' ') : Encoding.UTF8.GetBytes(text.AsSpan(i, size), bytes.AsSpan(length));
                i += size - 1;
            }
        }

        try
        {
            return Strict.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            throw new S3Exception(400, "InvalidURI", "The URL is not UTF-8.");
        }
    }

    /// <summary>Encodes everything but <c>A-Za-z0-9-._~</c>, and slashes if they are kept.</summary>
    public static string Encode(string text, bool keepSlash, bool spaceIsPlus = false)
    {
        var result = new StringBuilder(text.Length + 16);
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            var c = (char)b;
            if (char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~' || (keepSlash && c == '/'))
            {
                result.Append(c);
            }
            else if (spaceIsPlus && c == ' ')
            {
                result.Append('+');
            }
            else
            {
                result.Append('%').Append(Hex[b >> 4]).Append(Hex[b & 15]);
            }
        }

        return result.ToString();
    }

    private static int Put(byte[] bytes, int at, byte value)
    {
        bytes[at] = value;
        return 1;
    }
}
