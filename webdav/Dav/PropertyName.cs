using System.Globalization;
using System.Text;
using System.Xml.Linq;
using KeepFs.WebDav.Requests;

namespace KeepFs.WebDav.Dav;

/// <summary>Writes property names of any namespace as empty elements.</summary>
internal static class PropertyName
{
    public static StringBuilder AppendName(this StringBuilder text, XName name)
    {
        if (name.Namespace == XmlBody.Dav)
        {
            return text.Append(CultureInfo.InvariantCulture, $"<D:{name.LocalName}/>");
        }

        if (name.Namespace == XNamespace.None)
        {
            return text.Append(CultureInfo.InvariantCulture, $"<{name.LocalName}/>");
        }

        return text.Append(CultureInfo.InvariantCulture, $"<x:{name.LocalName} xmlns:x=\"").AppendXml(name.NamespaceName).Append("\"/>");
    }
}
