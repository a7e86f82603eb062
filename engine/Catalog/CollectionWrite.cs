using System.Text.Json.Serialization;

namespace KeepFs.Engine.Catalog;

/// <summary>Attributes of a create or update; what is null is not sent.</summary>
public sealed record CollectionWrite
{
    [JsonPropertyName("name")]
    public string? Name { get; init; }

    [JsonPropertyName("owner_uuid")]
    public string? OwnerUuid { get; init; }

    /// <summary>The whole content, or, with <see cref="CollectionChange.ReplaceFiles"/>, the source of <c>manifest_text/...</c>.</summary>
    [JsonPropertyName("manifest_text")]
    [JsonConverter(typeof(Utf8TextConverter))]
    public ReadOnlyMemory<byte>? ManifestText { get; init; }

    /// <summary>Replaces all properties.</summary>
    [JsonPropertyName("properties")]
    public IReadOnlyDictionary<string, string>? Properties { get; init; }

    /// <summary>When the collection goes to the trash by itself.</summary>
    [JsonPropertyName("trash_at")]
    public DateTimeOffset? TrashAt { get; init; }

    /// <summary>The state before the next change is kept as a version, however soon that comes (catalog-api.md section 5).</summary>
    [JsonPropertyName("preserve_version")]
    public bool? PreserveVersion { get; init; }

    [JsonPropertyName("replication_desired")]
    public int? ReplicationDesired { get; init; }

    [JsonPropertyName("storage_classes_desired")]
    public IReadOnlyList<string>? StorageClassesDesired { get; init; }
}

/// <summary>A create or update request.</summary>
public sealed record CollectionChange
{
    [JsonPropertyName("collection")]
    public CollectionWrite Collection { get; init; } = new();

    /// <summary>Target path to source (catalog-api.md section 4.9).</summary>
    [JsonPropertyName("replace_files")]
    public IReadOnlyDictionary<string, string>? ReplaceFiles { get; init; }

    /// <summary>
    /// Our extension: the change is refused with 412 when the content is not the one named here, so that a writer never overwrites what it
    /// has not seen.
    /// </summary>
    [JsonPropertyName("if_portable_data_hash")]
    public string? IfPortableDataHash { get; init; }

    [JsonPropertyName("ensure_unique_name")]
    public bool? EnsureUniqueName { get; init; }

    /// <summary>Our extension: locks to respect and properties to copy, for writes that come over WebDAV; null = neither.</summary>
    [JsonPropertyName("keepfs_dav")]
    public DavChange? Dav { get; init; }

    /// <summary>Fields of the answer; null = all, the signed manifest included.</summary>
    [JsonPropertyName("select")]
    public IReadOnlyList<string>? Select { get; init; }
}
