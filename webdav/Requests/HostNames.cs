namespace KeepFs.WebDav.Requests;

/// <summary>Compares <c>host[:port]</c> (keep-web.md 1): case does not count, and ports 80, 443 and none are equal.</summary>
internal static class HostNames
{
    public static bool Same(string a, string b) => WithoutDefaultPort(a).Equals(WithoutDefaultPort(b), StringComparison.OrdinalIgnoreCase);

    private static ReadOnlySpan<char> WithoutDefaultPort(string host) =>
        host.EndsWith(":80", StringComparison.Ordinal) ? host.AsSpan(0, host.Length - 3)
        : host.EndsWith(":443", StringComparison.Ordinal) ? host.AsSpan(0, host.Length - 4) : host;

}
