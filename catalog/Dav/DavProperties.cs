using KeepFs.Catalog.Storage;
using KeepFs.Engine.Catalog;

namespace KeepFs.Catalog.Dav;

/// <summary>The table of dead properties.</summary>
internal static class DavProperties
{
    /// <summary>Clients set a handful; the limits keep one resource from filling the catalogue.</summary>
    private const long MaxOfResource = 256;

    /// <summary>Characters of all values of one resource: a few icons fit, files belong elsewhere.</summary>
    private const long MaxLengthOfResource = 256 << 10;

    private const int MaxNameLength = 1024;

    /// <summary>Rows and characters after which a page ends; the properties of the last resource are completed.</summary>
    private const int PageRows = 4000;

    private const int PageLength = 1 << 20;

    /// <summary>A page of the properties of a resource and what is below.</summary>
    /// <param name="session">A snapshot.</param>
    /// <param name="uuid">The collection.</param>
    /// <param name="path">The resource.</param>
    /// <param name="depth">0, 1 or more.</param>
    /// <param name="after">The path where the page before ended; null = the first page.</param>
    public static DavPropertyPage Page(CatalogSession session, string uuid, string path, int depth, string? after)
    {
        var key = DavPath.Key(path);
        var (from, to) = DavPath.Below(key);

        // One range of the index: nothing sorts between a resource and what is below. Members have no separator behind the prefix.
        var start = after is null ? key : [.. DavPath.Key(after), DavPath.Separator];
        var members = key.Length == 0 ? 1L : from.Length + 1;
        var reach = depth switch
        {
            0 => "path = @p1 AND path >= @p2 AND path < @p3",
            1 => $"path >= @p2 AND path < @p3 AND (path = @p1 OR {session.Dialect.Position("@p5", "substr(path, @p4)")} = 0)",
            _ => "path >= @p2 AND path < @p3",
        };
        var (rows, length, hasMore) = (0, 0, false);
        byte[] last = [];
        var items = session.ReadWhile(
            $"SELECT path, namespace, name, value FROM dav_properties WHERE uuid = @p0 AND {reach} ORDER BY path, namespace, name",
            row => (Key: (byte[])row.GetValue(0), Property: new DavProperty { Namespace = row.GetString(1), Name = row.GetString(2), Value = row.GetString(3) }),
            item =>
            {
                if ((rows >= PageRows || length >= PageLength) && !item.Key.AsSpan().SequenceEqual(last))
                {
                    hasMore = true;
                    return false;
                }

                (rows, length, last) = (rows + 1, length + item.Property.Value!.Length, item.Key);
                return true;
            },
            uuid, key, start, to, members, new[] { DavPath.Separator });
        return new DavPropertyPage { Items = [.. items.Select(item => item.Property with { Path = DavPath.Text(item.Key) })], HasMore = hasMore };
    }

    /// <summary>A page of the properties of whole collections.</summary>
    public static DavPropertyPage PageOfRoots(CatalogSession session, IEnumerable<string> uuids, string after)
    {
        var items = new List<DavProperty>();
        foreach (var uuid in uuids.Where(uuid => string.CompareOrdinal(uuid, after) > 0).Order(StringComparer.Ordinal))
        {
            items.AddRange(Page(session, uuid, "", 0, null).Items.Select(item => item with { Uuid = uuid }));
            if (items.Count >= PageRows)
            {
                return new DavPropertyPage { Items = items, HasMore = true };
            }
        }

        return new DavPropertyPage { Items = items };
    }

    /// <summary>Applies the changes in their order; 413 beyond the limits.</summary>
    public static void Patch(WriteSession session, string uuid, string path, IEnumerable<DavProperty> changes)
    {
        var key = DavPath.Key(path);
        foreach (var change in changes)
        {
            session.Execute("DELETE FROM dav_properties WHERE uuid = @p0 AND path = @p1 AND namespace = @p2 AND name = @p3", uuid, key, change.Namespace, change.Name);
            if (change.Value is not { } value)
            {
                continue;
            }

            if (value.Length > DavProperty.MaxValueLength || change.Name.Length + change.Namespace.Length > MaxNameLength)
            {
                throw ApiException.TooLarge($"property {change.Name}: its value must not be longer than {DavProperty.MaxValueLength} characters, nor its name than {MaxNameLength}");
            }

            session.Execute("INSERT INTO dav_properties (uuid, path, namespace, name, value) VALUES (@p0, @p1, @p2, @p3, @p4)", uuid, key, change.Namespace, change.Name, value);
        }

        var (count, length) = session.Read(
            "SELECT count(*), coalesce(sum(length(value)), 0) FROM dav_properties WHERE uuid = @p0 AND path = @p1", row => (row.GetInt64(0), row.GetInt64(1)), uuid, key).Single();
        if (count > MaxOfResource || length > MaxLengthOfResource)
        {
            throw ApiException.TooLarge($"a resource has at most {MaxOfResource} properties of {MaxLengthOfResource} characters together");
        }
    }

    /// <summary>Copies the properties of a resource, perhaps with everything below; what the target had is replaced.</summary>
    public static void Copy(WriteSession session, string fromUuid, byte[] from, string toUuid, byte[] to, bool recursive)
    {
        // Read first: the target may lie in the source.
        var keys = recursive ? KeysIn(session, fromUuid, from) : [from];
        RemoveTree(session, toUuid, to, itself: true, below: recursive);
        foreach (var key in keys)
        {
            session.Execute(
                "INSERT INTO dav_properties (uuid, path, namespace, name, value) SELECT @p0, @p1, namespace, name, value FROM dav_properties WHERE uuid = @p2 AND path = @p3",
                toUuid, DavPath.Rebase(key, from, to), fromUuid, key);
        }
    }

    public static void RemoveTree(WriteSession session, string uuid, byte[] key, bool itself, bool below)
    {
        if (itself)
        {
            session.Execute("DELETE FROM dav_properties WHERE uuid = @p0 AND path = @p1", uuid, key);
        }

        if (below)
        {
            var (from, to) = DavPath.Below(key);
            session.Execute("DELETE FROM dav_properties WHERE uuid = @p0 AND path >= @p1 AND path < @p2", uuid, from, to);
        }
    }

    public static void RemoveAll(WriteSession session, string uuid) => session.Execute("DELETE FROM dav_properties WHERE uuid = @p0", uuid);

    /// <summary>Paths with properties, from one downwards.</summary>
    public static List<byte[]> KeysIn(CatalogSession session, string uuid, byte[] key)
    {
        return session.Read(
            "SELECT DISTINCT path FROM dav_properties WHERE uuid = @p0 AND path >= @p1 AND path < @p2", row => (byte[])row.GetValue(0), uuid, key, DavPath.Below(key).To);
    }
}
