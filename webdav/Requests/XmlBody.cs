using System.Xml;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Requests;

/// <summary>XML that clients send: small, no DTD, no entities.</summary>
internal static class XmlBody
{
    /// <summary>Real bodies are a few hundred bytes; a megabyte of properties is an attack.</summary>
    private const int MaxBytes = 256 << 10;

    public static readonly XNamespace Dav = "DAV:";

    /// <summary>The root element, or null when there is no body.</summary>
    /// <exception cref="WebException">400 or 413.</exception>
    public static async Task<XElement?> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var buffer = new MemoryStream();
        var chunk = new byte[16 << 10];
        int read;
        while ((read = await request.Body.ReadAsync(chunk, cancellationToken)) > 0)
        {
            buffer.Write(chunk, 0, read);
            if (buffer.Length > MaxBytes)
            {
                throw new WebException(StatusCodes.Status413PayloadTooLarge, "The XML body is too large.");
            }
        }

        if (buffer.Length == 0)
        {
            return null;
        }

        buffer.Position = 0;
        try
        {
            using var reader = XmlReader.Create(buffer, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = MaxBytes });
            return XElement.Load(reader);
        }
        catch (XmlException)
        {
            throw new WebException(StatusCodes.Status400BadRequest, "The body is not well-formed XML.");
        }
    }
}
