using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace KeepFs.WebDav.Requests;

/// <summary>An element of a request as text that means the same in any other document: with the namespaces and the language that were in force around it.</summary>
internal static class StandaloneXml
{
    private static readonly XName Language = XNamespace.Xml + "lang";

    /// <summary>The element as text. Its parents are only looked at.</summary>
    public static string Of(XElement element)
    {
        var copy = new XElement(element);
        foreach (var around in element.Ancestors())
        {
            if (copy.Attribute(Language) is null && around.Attribute(Language) is { } language)
            {
                copy.Add(new XAttribute(language));
            }

            // Text may name prefixes too (QNames in content), so every declaration in force is kept.
            foreach (var declaration in around.Attributes().Where(attribute => attribute.IsNamespaceDeclaration))
            {
                if (copy.Attribute(declaration.Name) is null)
                {
                    copy.Add(new XAttribute(declaration));
                }
            }
        }

        var text = new StringBuilder();
        var settings = new XmlWriterSettings { OmitXmlDeclaration = true, ConformanceLevel = ConformanceLevel.Fragment, NewLineHandling = NewLineHandling.Entitize };
        using (var writer = XmlWriter.Create(text, settings))
        {
            copy.WriteTo(writer);
        }

        return text.ToString();
    }
}
