using System.Buffers;
using System.Globalization;
using System.Text;
using System.Xml.Linq;
using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.Locks;
using KeepFs.WebDav.Requests;

namespace KeepFs.WebDav.Dav;

/// <summary>A property that this server computes and nobody can set.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Has">The resource has it.</param>
/// <param name="Write">Writes the value for a resource that has it.</param>
internal sealed record LiveProperty(XName Name, LiveProperty.Test Has, LiveProperty.Writer Write)
{
    public delegate bool Test(in DavEntry entry);

    public delegate void Writer(LiveValues to, in DavEntry entry);

    private readonly byte[] _open = Encoding.UTF8.GetBytes($"<D:{Name.LocalName}>");
    private readonly byte[] _close = Encoding.UTF8.GetBytes($"</D:{Name.LocalName}>");
    private readonly byte[] _empty = Encoding.UTF8.GetBytes($"<D:{Name.LocalName}/>");

    /// <summary>Sent when a client asks for all; the others only by name (RFC 4331 section 2 asks that of the quota).</summary>
    public bool IsInAllProp { get; init; } = true;

    public ReadOnlySpan<byte> Open => _open;

    public ReadOnlySpan<byte> Close => _close;

    public ReadOnlySpan<byte> Empty => _empty;
}

/// <summary>The live properties (keep-web.md 3, RFC 4331).</summary>
internal static class LiveProperties
{
    /// <summary>In the order in which allprop sends them.</summary>
    public static IReadOnlyList<LiveProperty> All { get; } =
    [
        Of("resourcetype", Always, static (to, in entry) => to.Raw(entry.File is null ? "<D:collection/>"u8 : default)),
        Of("displayname", Always, static (to, in entry) => to.Text(entry.Name)),
        Of("getcontentlength", IsFile, static (to, in entry) => to.Number(entry.File!.SizeBytes)),
        Of("getlastmodified", static (in entry) => entry.ModifiedAt is not null, static (to, in entry) => to.HttpDate(entry.ModifiedAt!.Value)),
        Of("creationdate", static (in entry) => entry.CreatedAt is not null, static (to, in entry) => to.IsoDate(entry.CreatedAt!.Value)),
        Of("getcontenttype", IsFile, static (to, in entry) => to.Text(ContentTypes.Of(entry.Name))),
        Of("getetag", IsFile, static (to, in entry) => to.Text(EntityTag.Of(entry.File!))),
        Of("supportedlock", Always, static (to, in entry) => to.Raw(entry.Uuid.Length == 0 ? default : SupportedLock)),
        Of("lockdiscovery", Always, static (to, in entry) => to.LocksOf(entry)),
        Of("quota-available-bytes", static (in entry) => entry.File is null, static (to, in entry) => to.Available()) with { IsInAllProp = false },
        Of(
            "quota-used-bytes", static (in entry) => entry is { File: null, UsedBytes: not null }, static (to, in entry) => to.Number(entry.UsedBytes!.Value)) with { IsInAllProp = false },
    ];

    private static ReadOnlySpan<byte> SupportedLock =>
        """<D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry><D:lockentry><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>"""u8;

    public static LiveProperty? Find(XName name) => All.FirstOrDefault(property => property.Name == name);

    private static bool Always(in DavEntry entry) => true;

    private static bool IsFile(in DavEntry entry) => entry.File is not null;

    private static LiveProperty Of(string name, LiveProperty.Test has, LiveProperty.Writer write) => new(XmlBody.Dav + name, has, write);
}

/// <summary>Where values of live properties go, with what they need of the request. One answer at a time.</summary>
internal sealed class LiveValues(WebRequest request, IBufferWriter<byte> output, LockIndex locks, long? availableBytes)
{
    /// <summary>Without a quota: keep-web does not know how full the keepstores are, and clients want to see that there is room (the mount says the same).</summary>
    private const long MostBytes = 1L << 49;

    private (DateTimeOffset Time, string Text) _lastHttpDate;
    private (DateTimeOffset Time, string Text) _lastIsoDate;

    public void Raw(ReadOnlySpan<byte> xml) => output.Raw(xml);

    public void Text(string text) => output.Text(text);

    public void Number(long value) => output.Number(value);

    public void Available() => output.Number(Math.Min(availableBytes ?? MostBytes, MostBytes));

    public void HttpDate(DateTimeOffset time)
    {
        // All entries of a collection have the same time.
        if (_lastHttpDate.Text is null || _lastHttpDate.Time != time)
        {
            _lastHttpDate = (time, Preconditions.HttpDate(time));
        }

        output.Text(_lastHttpDate.Text);
    }

    public void IsoDate(DateTimeOffset time)
    {
        if (_lastIsoDate.Text is null || _lastIsoDate.Time != time)
        {
            _lastIsoDate = (time, time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        }

        output.Text(_lastIsoDate.Text);
    }

    public void LocksOf(in DavEntry entry)
    {
        if (entry.Uuid.Length > 0)
        {
            output.Raw(LockXml.Discovery(request, locks.Of(entry.Uuid, entry.Path)).AsSpan());
        }
    }
}
