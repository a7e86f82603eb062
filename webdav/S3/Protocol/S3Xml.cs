using System.Globalization;
using System.Text;
using System.Xml;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.S3.Protocol;

/// <summary>S3's answers in XML. Each is made in memory: the largest, a page of a listing, has at most 1,000 keys.</summary>
internal static class S3Xml
{
    public const string Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

    // Keys may hold characters that XML 1.0 has not; they are written as references, as S3 does, and clients that care ask for encoding-type=url.
    private static readonly XmlWriterSettings Settings = new() { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), CheckCharacters = false };

    /// <summary>A document with a root in S3's namespace.</summary>
    public static byte[] Document(string root, Action<XmlWriter> content)
    {
        var buffer = new MemoryStream();
        using (var writer = XmlWriter.Create(buffer, Settings))
        {
            writer.WriteStartElement(root, Namespace);
            content(writer);
            writer.WriteEndElement();
        }

        return buffer.ToArray();
    }

    /// <summary>The error document (keep-web.md 4.3), which has no namespace.</summary>
    public static byte[] Error(S3Exception error, string resource, string requestId)
    {
        var buffer = new MemoryStream();
        using (var writer = XmlWriter.Create(buffer, Settings))
        {
            writer.WriteStartElement("Error");
            writer.WriteElementString("Code", error.Code);
            writer.WriteElementString("Message", error.Message);
            writer.WriteElementString("Resource", resource);
            writer.WriteElementString("RequestId", requestId);
            writer.WriteEndElement();
        }

        return buffer.ToArray();
    }

    /// <summary>Element with text in the root's namespace.</summary>
    public static void Text(this XmlWriter writer, string name, string value) => writer.WriteElementString(name, Namespace, value);

    public static void Number(this XmlWriter writer, string name, long value) => writer.Text(name, value.ToString(CultureInfo.InvariantCulture));

    /// <summary>As keep-web.md 4.4 wants times: milliseconds, trailing zeros dropped.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFF'Z'", CultureInfo.InvariantCulture);

    /// <summary>Sends a document as the whole answer.</summary>
    public static async Task SendAsync(HttpContext http, byte[] document)
    {
        http.Response.ContentType = "application/xml";
        http.Response.ContentLength = document.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await http.Response.Body.WriteAsync(document, http.RequestAborted);
        }
    }
}
