using System.Text.Json.Serialization;

namespace KeepFs.Engine.Catalog;

/// <summary>A dead property (RFC 4918 section 4): XML that clients keep with a resource and the server does not understand.</summary>
public sealed record DavProperty
{
    /// <summary>The largest value, in characters of XML: icons and thumbnails fit, files belong elsewhere.</summary>
    public const int MaxValueLength = 64 << 10;

    /// <summary>The collection; set in lists over several.</summary>
    [JsonPropertyName("uuid")]
    public string? Uuid { get; init; }

    /// <summary>Inside the collection, without leading slash; "" is the collection itself.</summary>
    [JsonPropertyName("path")]
    public string Path { get; init; } = "";

    /// <summary>Of the element's name; "" = none.</summary>
    [JsonPropertyName("namespace")]
    public required string Namespace { get; init; }

    /// <summary>The element's local name.</summary>
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    /// <summary>The whole element as XML that stands by itself; null removes the property.</summary>
    [JsonPropertyName("value")]
    public string? Value { get; init; }
}

/// <summary>A PROPPATCH: all of it or nothing.</summary>
public sealed record DavPropertyPatch
{
    /// <summary>The collection.</summary>
    [JsonPropertyName("uuid")]
    public required string Uuid { get; init; }

    /// <summary>Inside the collection.</summary>
    [JsonPropertyName("path")]
    public required string Path { get; init; }

    /// <summary>412 unless the collection still has this content: the path was seen in it.</summary>
    [JsonPropertyName("if_portable_data_hash")]
    public required string IfPortableDataHash { get; init; }

    /// <summary>Lock tokens that the request submitted.</summary>
    [JsonPropertyName("tokens")]
    public IReadOnlyList<string> Tokens { get; init; } = [];

    /// <summary>In the order of the request; later ones win.</summary>
    [JsonPropertyName("changes")]
    public required IReadOnlyList<DavProperty> Changes { get; init; }
}

/// <summary>One page of properties; the properties of a resource are never cut in two.</summary>
public sealed record DavPropertyPage
{
    /// <summary>In the order of a walk through the tree: parents before children, siblings by the bytes of their names.</summary>
    [JsonPropertyName("items")]
    public required IReadOnlyList<DavProperty> Items { get; init; }

    /// <summary>There are more behind the last one.</summary>
    [JsonPropertyName("more")]
    public bool HasMore { get; init; }
}

/// <summary>A wish for a lock.</summary>
public sealed record DavLockRequest
{
    /// <summary>The lock; its token and holder are given by the catalogue.</summary>
    [JsonPropertyName("lock")]
    public required DavLock Lock { get; init; }

    /// <summary>The request makes the resource too, and must get past the locks of its parent with these tokens; null = it exists.</summary>
    [JsonPropertyName("creates_with_tokens")]
    public IReadOnlyList<string>? CreatesWithTokens { get; init; }
}

/// <summary>Locks.</summary>
public sealed record DavLockList
{
    /// <summary>In no order.</summary>
    [JsonPropertyName("items")]
    public required IReadOnlyList<DavLock> Items { get; init; }
}

/// <summary>JSON of what WebDAV keeps in the catalogue.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DavChange))]
[JsonSerializable(typeof(DavLock))]
[JsonSerializable(typeof(OwnerUsage))]
[JsonSerializable(typeof(DavLockList))]
[JsonSerializable(typeof(DavLockRequest))]
[JsonSerializable(typeof(DavPropertyPage))]
[JsonSerializable(typeof(DavPropertyPatch))]
public sealed partial class DavJson : JsonSerializerContext;
