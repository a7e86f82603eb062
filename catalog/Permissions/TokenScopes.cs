namespace KeepFs.Catalog.Permissions;

/// <summary>Whether a token's scopes cover a request (catalog-api.md 8).</summary>
internal static class TokenScopes
{
    public static bool Allow(IReadOnlyList<string> scopes, string method, string path)
    {
        var request = $"{(method == "HEAD" ? "GET" : method)} {(path.Length > 1 ? path.TrimEnd('/') : path)}";
        return scopes.Any(scope => scope == "all" || scope == request || (scope.EndsWith('/') && request.StartsWith(scope, StringComparison.Ordinal)));
    }
}
