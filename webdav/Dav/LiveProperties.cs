using System.Globalization;
using System.Text;
using System.Xml.Linq;
using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.Requests;

namespace KeepFs.WebDav.Dav;

/// <summary>The properties that this server knows (keep-web.md 3). All are live: nobody can set them.</summary>
internal sealed class LiveProperties(Func<string, string> lockDiscovery)
{
    private const string SupportedLock =
        "<D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>" +
        "<D:lockentry><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>";

    /// <summary>In the order in which allprop sends them.</summary>
    public static IReadOnlyList<XName> All { get; } = new[]
    {
        "resourcetype", "displayname", "getcontentlength", "getlastmodified", "creationdate", "getcontenttype", "getetag", "supportedlock", "lockdiscovery",
    }.Select(name => XmlBody.Dav + name).ToArray();

    public static bool IsKnown(XName name) => All.Contains(name);

    /// <summary>Appends the element with its value; false when the resource does not have the property.</summary>
    public bool Append(StringBuilder text, DavEntry entry, XName property)
    {
        if (property.Namespace != XmlBody.Dav || ValueOf(entry, property.LocalName) is not { } value)
        {
            return false;
        }

        text.Append("<D:").Append(property.LocalName).Append('>').Append(value).Append("</D:").Append(property.LocalName).Append('>');
        return true;
    }

    private string? ValueOf(DavEntry entry, string name) => name switch
    {
        "resourcetype" => entry.File is null ? "<D:collection/>" : "",
        "displayname" => new StringBuilder().AppendXml(entry.Name).ToString(),
        "getcontentlength" => entry.File?.SizeBytes.ToString(CultureInfo.InvariantCulture),
        "getlastmodified" => entry.ModifiedAt is { } time ? Preconditions.HttpDate(time) : null,
        "creationdate" => entry.CreatedAt is { } time ? time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) : null,
        "getcontenttype" => entry.File is null ? null : ContentTypes.Of(entry.Name),
        "getetag" => entry.File is null ? null : new StringBuilder().AppendXml(EntityTag.Of(entry.File)).ToString(),
        "supportedlock" => entry.LockKey is null ? "" : SupportedLock,
        "lockdiscovery" => entry.LockKey is null ? "" : lockDiscovery(entry.LockKey),
        _ => null,
    };
}
