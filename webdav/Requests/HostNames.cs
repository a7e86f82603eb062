namespace KeepFs.WebDav.Requests;

/// <summary>Compares <c>host[:port]</c> (keep-web.md 1): case does not count, and ports 80, 443 and none are equal.</summary>
internal static class HostNames
{
    public static bool Same(string a, string b) => WithoutDefaultPort(a).Equals(WithoutDefaultPort(b), StringComparison.OrdinalIgnoreCase);

    /// <summary>The UUID or portable data hash that the host's first label is (keep-web.md 2.2: <c>ID.rest</c>, <c>ID--rest</c>), or null.</summary>
    public static string? CollectionId(string host)
    {
        var label = host.Split('.', 2)[0].Split("--", 2)[0];
        var id = Tree.SitePath.IdOf(label);
        return Tree.SitePath.IsCollectionId(id) || Tree.SitePath.IsGroupId(id) || Tree.SitePath.IsUserId(id) ? id : null;
    }

    private static ReadOnlySpan<char> WithoutDefaultPort(string host) =>
        host.EndsWith(":80", StringComparison.Ordinal) ? host.AsSpan(0, host.Length - 3)
        : host.EndsWith(":443", StringComparison.Ordinal) ? host.AsSpan(0, host.Length - 4) : host;

}
