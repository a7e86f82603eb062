using System.Text.Json.Serialization;

namespace KeepFs.Engine.Catalog;

/// <summary>
/// A WebDAV write lock (RFC 4918 section 6) on a path of a collection, kept by our catalogue (docs/decisions/0029). Immutable; a refresh replaces it.
/// </summary>
public sealed record DavLock
{
    /// <summary><c>opaquelocktoken:...</c>; given by whoever keeps the lock.</summary>
    [JsonPropertyName("token")]
    public string Token { get; init; } = "";

    /// <summary>The collection.</summary>
    [JsonPropertyName("uuid")]
    public required string Uuid { get; init; }

    /// <summary>Inside the collection, without leading slash; "" is the collection itself.</summary>
    [JsonPropertyName("path")]
    public required string Path { get; init; }

    /// <summary>Others may hold shared locks beside it.</summary>
    [JsonPropertyName("shared")]
    public bool IsShared { get; init; }

    /// <summary>Covers everything below.</summary>
    [JsonPropertyName("infinite")]
    public bool IsInfinite { get; init; }

    /// <summary>What the client said about itself: the XML element <c>owner</c>, or null. Given back as it came.</summary>
    [JsonPropertyName("owner")]
    public string? Owner { get; init; }

    /// <summary>UUID of the user who made it; only that one may use or end it.</summary>
    [JsonPropertyName("holder")]
    public string Holder { get; init; } = "";

    /// <summary>Seconds that it still lives without a refresh, or, in a request, shall live.</summary>
    [JsonPropertyName("seconds")]
    public long Seconds { get; init; }

    /// <summary>The lock protects the resource itself.</summary>
    public bool Covers(string path) => path == Path || (IsInfinite && IsBelow(path, Path));

    /// <summary>The lock is on something below the resource.</summary>
    public bool LiesBelow(string path) => IsBelow(Path, path);

    /// <summary>Both cannot be held at once.</summary>
    public bool Excludes(DavLock other) =>
        !(IsShared && other.IsShared) && (Covers(other.Path) || other.Covers(Path));

    private static bool IsBelow(string path, string ancestor) => ancestor.Length == 0
        ? path.Length > 0
        : path.Length > ancestor.Length && path[ancestor.Length] == '/' && path.StartsWith(ancestor, StringComparison.Ordinal);
}
