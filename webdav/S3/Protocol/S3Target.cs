using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Tree;

namespace KeepFs.WebDav.S3.Protocol;

/// <summary>What an S3 request names.</summary>
/// <param name="Bucket">A collection or project UUID, a portable data hash with its plus sign, or a name; "" for the service itself.</param>
/// <param name="Key">As the client wrote it, decoded; "" for the bucket itself.</param>
/// <param name="DecodedPath">The whole path, decoded: what version 4 signs.</param>
/// <param name="RawPath">The whole path as it was sent: what version 2 signs.</param>
/// <param name="IsVirtualHost">The bucket stands in the host name.</param>
internal sealed record S3Target(string Bucket, string Key, string DecodedPath, string RawPath, bool IsVirtualHost)
{
    /// <summary>Takes a request target and a Host header apart (keep-web.md 4.2).</summary>
    /// <exception cref="S3Exception">400: not a path, or badly encoded.</exception>
    public static S3Target Of(string target, string host)
    {
        var raw = target.IndexOf('?', StringComparison.Ordinal) is >= 0 and var query ? target[..query] : target;
        if (raw.IndexOf("://", StringComparison.Ordinal) is > 0 and var scheme && !raw.StartsWith('/'))
        {
            raw = raw.IndexOf('/', scheme + 3) is >= 0 and var slash ? raw[slash..] : "/";
        }

        if (!raw.StartsWith('/'))
        {
            throw new S3Exception(400, "InvalidURI", "The path must start with a slash.");
        }

        var path = PercentCode.Decode(raw, plusIsSpace: false);
        if (OfHost(host) is { } bucket)
        {
            return new S3Target(bucket, path[1..], path, raw, IsVirtualHost: true);
        }

        var end = path.IndexOf('/', 1);
        return end < 0 ? new S3Target(BucketOf(path[1..]), "", path, raw, IsVirtualHost: false)
            : new S3Target(BucketOf(path[1..end]), path[(end + 1)..], path, raw, IsVirtualHost: false);
    }

    /// <summary>A portable data hash may be written with "-" for its plus sign, which no host name can have.</summary>
    public static string BucketOf(string text) => text.Length > 33 && text[32] == '-' && text[..32] + "+" + text[33..] is var hash && PortableDataHash.IsPortableDataHash(hash)
        ? hash : text;

    /// <summary>The first label, when it names a collection or project: anything else is a host like any other.</summary>
    private static string? OfHost(string host)
    {
        var end = host.IndexOfAny(['.', ':']);
        var label = BucketOf(end < 0 ? host : host[..end]);
        return end >= 0 && host[end] == '.' && (SitePath.IsCollectionId(label) || SitePath.IsGroupId(label)) ? label : null;
    }
}
