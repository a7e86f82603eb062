using System.Xml;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Requests;

/// <summary>XML that clients send: small, no DTD, no entities.</summary>
internal static class XmlBody
{
    /// <summary>Real bodies are a few hundred bytes; a megabyte of properties is an attack.</summary>
    private const int MaxBytes = 256 << 10;

    /// <summary>Real bodies have five levels or so; copying and writing an element takes stack for each.</summary>
    private const int MaxDepth = 100;

    private static readonly XmlReaderSettings Settings = new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = MaxBytes };

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
            RequireShallow(buffer);
            using var reader = XmlReader.Create(buffer, Settings);
            return XElement.Load(reader, LoadOptions.PreserveWhitespace);
        }
        catch (XmlException)
        {
            throw new WebException(StatusCodes.Status400BadRequest, "The body is not well-formed XML.");
        }
    }

    private static void RequireShallow(MemoryStream body)
    {
        using var reader = XmlReader.Create(body, Settings);
        while (reader.Read())
        {
            if (reader.Depth > MaxDepth)
            {
                throw new WebException(StatusCodes.Status400BadRequest, "The XML body is nested too deeply.");
            }
        }

        body.Position = 0;
    }
}
