using System.Text;

namespace KeepFs.WebDav.Dav;

/// <summary>Text for XML element content.</summary>
internal static class XmlText
{
    /// <summary>Appends with the five escapes; what XML 1.0 cannot hold at all becomes U+FFFD (such names still have an exact href).</summary>
    public static StringBuilder AppendXml(this StringBuilder text, string value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            _ = c switch
            {
                '&' => text.Append("&amp;"),
                '<' => text.Append("&lt;"),
                '>' => text.Append("&gt;"),
                '"' => text.Append("&quot;"),
                '\'' => text.Append("&apos;"),
                '\r' => text.Append("&#13;"),
                '\t' or '\n' => text.Append(c),
                < ' ' or '\uFFFE' or '\uFFFF' => text.Append('\uFFFD'),
                _ => text.Append(c),
            };
        }

        return text;
    }
}
