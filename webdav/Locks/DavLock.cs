using System.Xml.Linq;

namespace KeepFs.WebDav.Locks;

/// <summary>A write lock (RFC 4918 section 6). Immutable; a refresh replaces it.</summary>
/// <param name="Token"><c>opaquelocktoken:...</c>.</param>
/// <param name="Key">The locked resource, see <see cref="LockKeys"/>.</param>
/// <param name="Href">Its URL when it was locked.</param>
/// <param name="IsShared">Others may hold shared locks beside it.</param>
/// <param name="IsInfinite">Covers everything below.</param>
/// <param name="Owner">What the client said about itself; given back as it came.</param>
/// <param name="Holder">The API token that made it; only that one may use it.</param>
/// <param name="Lifetime">As granted.</param>
/// <param name="Expires">When it ends by itself.</param>
internal sealed record DavLock(
    string Token, string Key, string Href, bool IsShared, bool IsInfinite, XElement? Owner, string Holder, TimeSpan Lifetime, DateTimeOffset Expires)
{
    /// <summary>The lock protects the resource itself.</summary>
    public bool Covers(string key) => key == Key || (IsInfinite && IsBelow(key, Key));

    /// <summary>The lock is on something below the resource.</summary>
    public bool LiesBelow(string key) => IsBelow(Key, key);

    private static bool IsBelow(string key, string ancestor) =>
        key.Length > ancestor.Length && key[ancestor.Length] == '/' && key.StartsWith(ancestor, StringComparison.Ordinal);
}
