using System.Buffers;
using System.Text;

namespace KeepFs.WebDav.Dav;

/// <summary>Writes XML as UTF-8 straight into the memory that goes to the socket; an answer of 100,000 members needs no strings.</summary>
internal static class XmlBytes
{
    private static readonly SearchValues<char> Special = SearchValues.Create("&<>\"'\r\0\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u000b\u000c\u000e\u000f"
        + "\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f\uFFFE\uFFFF");

    /// <summary>Text that is XML already.</summary>
    public static IBufferWriter<byte> Raw(this IBufferWriter<byte> output, ReadOnlySpan<byte> xml)
    {
        output.Write(xml);
        return output;
    }

    /// <summary>Text that is XML already.</summary>
    public static IBufferWriter<byte> Raw(this IBufferWriter<byte> output, ReadOnlySpan<char> xml)
    {
        Encoding.UTF8.GetBytes(xml, output);
        return output;
    }

    /// <summary>Text of any kind; see <see cref="XmlText.AppendXml"/>.</summary>
    public static IBufferWriter<byte> Text(this IBufferWriter<byte> output, string text) =>
        text.AsSpan().ContainsAny(Special) ? output.Raw(new StringBuilder(text.Length + 16).AppendXml(text).ToString()) : output.Raw(text.AsSpan());

    public static IBufferWriter<byte> Number(this IBufferWriter<byte> output, long value)
    {
        const int MaxDigits = 20;
        var span = output.GetSpan(MaxDigits);
        value.TryFormat(span, out var written, provider: System.Globalization.CultureInfo.InvariantCulture);
        output.Advance(written);
        return output;
    }
}
