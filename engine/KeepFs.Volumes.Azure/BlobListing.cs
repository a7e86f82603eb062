using System.Globalization;
using System.Xml;
using System.Xml.Linq;

namespace KeepFs.Volumes.Azure;

/// <summary>Reads the XML of "List Blobs".</summary>
internal static class BlobListing
{
    public static async ValueTask<ContainerPage> ReadAsync(Stream xml, CancellationToken cancellationToken)
    {
        XElement root;
        try
        {
            root = (await XDocument.LoadAsync(xml, LoadOptions.None, cancellationToken)).Root!;
        }
        catch (XmlException e)
        {
            throw new InvalidDataException($"the listing cannot be read: {e.Message}", e);
        }

        var blobs = root.Element("Blobs")?.Elements("Blob").Select(BlobOf).ToArray() ?? throw new InvalidDataException("the listing has no Blobs");
        return new ContainerPage(blobs, root.Element("NextMarker")?.Value is { Length: > 0 } marker ? marker : null);
    }

    private static Blob BlobOf(XElement blob)
    {
        var properties = blob.Element("Properties") ?? throw new InvalidDataException("a blob in the listing has no Properties");
        return new Blob(
            blob.Element("Name")?.Value ?? throw new InvalidDataException("a blob in the listing has no Name"),
            long.Parse(Property("Content-Length"), CultureInfo.InvariantCulture),
            DateTimeOffset.Parse(Property("Last-Modified"), CultureInfo.InvariantCulture),
            Property("Etag") is ['"', ..] and var quoted ? quoted : $"\"{Property("Etag")}\"",
            (blob.Element("Metadata")?.Elements() ?? []).GroupBy(item => item.Name.LocalName, StringComparer.OrdinalIgnoreCase)
                .ToDictionary(group => group.Key, group => group.First().Value, StringComparer.OrdinalIgnoreCase));

        string Property(string name) => properties.Element(name)?.Value ?? throw new InvalidDataException($"a blob in the listing has no {name}");
    }
}
