using System.Text;
using System.Xml.Linq;
using KeepFs.WebDav.Requests;

namespace KeepFs.WebDav.Dav;

/// <summary>Property names of any namespace as empty elements.</summary>
internal static class PropertyName
{
    /// <summary>For a document that declares the prefix D for <c>DAV:</c> and no default namespace.</summary>
    public static string Element(XName name) =>
        name.Namespace == XmlBody.Dav ? $"<D:{name.LocalName}/>"
        : name.Namespace == XNamespace.None ? $"<{name.LocalName}/>"
        : new StringBuilder($"<x:{name.LocalName} xmlns:x=\"").AppendXml(name.NamespaceName).Append("\"/>").ToString();
}
