using System.Globalization;
using System.Text;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Tree;

namespace KeepFs.WebDav.Locks;

/// <summary>Locks as WebDAV shows them.</summary>
internal static class LockXml
{
    /// <summary>The value of lockdiscovery.</summary>
    public static string Discovery(WebRequest request, IEnumerable<DavLock> active)
    {
        var text = new StringBuilder();
        foreach (var found in active)
        {
            text.Append(CultureInfo.InvariantCulture, $"<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:{(found.IsShared ? "shared" : "exclusive")}/></D:lockscope>")
                .Append(CultureInfo.InvariantCulture, $"<D:depth>{(found.IsInfinite ? "infinity" : "0")}</D:depth>")
                .Append(found.Owner)
                .Append(CultureInfo.InvariantCulture, $"<D:timeout>Second-{found.Seconds}</D:timeout><D:locktoken><D:href>{found.Token}</D:href></D:locktoken>")
                .Append(CultureInfo.InvariantCulture, $"<D:lockroot><D:href>{RootHref(request, found.Uuid, found.Path)}</D:href></D:lockroot></D:activelock>");
        }

        return text.ToString();
    }

    /// <summary>
    /// The URL of a locked path under the address that this request came by: the one by which the lock was made may hold a token of somebody else.
    /// </summary>
    public static string RootHref(WebRequest request, string uuid, string path)
    {
        var names = ManifestTree.Components(path);
        if (request.Place is CollectionPlace inside && inside.Collection.Record.Uuid == uuid)
        {
            var above = request.Path.Names.SkipLast(ManifestTree.Components(inside.Path).Length - request.Site.HiddenDepth);
            return Href.Of(above.Concat(names.Skip(request.Site.HiddenDepth)), inside.Collection.Tree.Find(path) is ManifestDirectory);
        }

        return Href.Of([.. request.View.Prefix, "by_id", uuid, .. names], isDirectory: names.Length == 0);
    }
}
