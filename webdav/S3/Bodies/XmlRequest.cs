using System.Xml;
using System.Xml.Linq;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.S3.Signing;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.S3.Bodies;

/// <summary>XML that S3 clients send: bounded, no DTD, no entities, in S3's namespace or in none.</summary>
internal static class XmlRequest
{
    /// <summary>The largest real ones: 1,000 keys of 1,024 characters to delete, or 10,000 parts with their checksums.</summary>
    private const int MaxBytes = 4 << 20;

    /// <summary>Real requests nest three deep; the time that a tree of elements takes to make grows with the square of its depth.</summary>
    private const int MaxDepth = 16;

    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        MaxCharactersInDocument = MaxBytes,
        CheckCharacters = false,
    };

    /// <summary>The root element.</summary>
    /// <exception cref="S3Exception">400 MalformedXML, or the body is not what was signed.</exception>
    public static async Task<XElement> ReadAsync(HttpRequest request, S3Identity identity, string root, bool hasChecksums, CancellationToken cancellationToken)
    {
        var bytes = await RequestBody.ReadAllAsync(request, identity, MaxBytes, hasChecksums, cancellationToken);
        try
        {
            using (var scan = XmlReader.Create(new MemoryStream(bytes), Settings))
            {
                while (scan.Read())
                {
                    if (scan.Depth > MaxDepth)
                    {
                        throw S3Errors.MalformedXml();
                    }
                }
            }

            using var reader = XmlReader.Create(new MemoryStream(bytes), Settings);
            var element = XElement.Load(reader, LoadOptions.PreserveWhitespace);
            return element.Name.LocalName == root ? element : throw S3Errors.MalformedXml();
        }
        catch (XmlException)
        {
            throw S3Errors.MalformedXml();
        }
    }

    /// <summary>Children of that name, whatever their namespace.</summary>
    public static IEnumerable<XElement> All(this XElement parent, string name) => parent.Elements().Where(element => element.Name.LocalName == name);

    /// <summary>Text of the only child of that name, or null.</summary>
    /// <exception cref="S3Exception">400: there are several.</exception>
    public static string? Text(this XElement parent, string name) => parent.All(name).Take(2).ToArray() switch
    {
        [] => null,
        [var only] => only.Value,
        _ => throw S3Errors.MalformedXml(),
    };
}
