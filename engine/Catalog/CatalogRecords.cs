using System.Text.Json;
using System.Text.Json.Serialization;

namespace KeepFs.Engine.Catalog;

/// <summary>A collection as the API returns it (catalog-api.md section 4.1); what was not selected is null or default.</summary>
public sealed record Collection
{
    [JsonPropertyName("uuid")]
    public string Uuid { get; init; } = "";

    [JsonPropertyName("owner_uuid")]
    public string? OwnerUuid { get; init; }

    [JsonPropertyName("name")]
    public string? Name { get; init; }

    [JsonPropertyName("description")]
    public string? Description { get; init; }

    [JsonPropertyName("portable_data_hash")]
    public string PortableDataHash { get; init; } = "";

    /// <summary>Signed for the caller's token. Kept as UTF-8: it can be a hundred megabytes.</summary>
    [JsonPropertyName("manifest_text")]
    [JsonConverter(typeof(Utf8TextConverter))]
    public ReadOnlyMemory<byte>? ManifestText { get; init; }

    [JsonPropertyName("created_at")]
    public DateTimeOffset? CreatedAt { get; init; }

    [JsonPropertyName("modified_at")]
    public DateTimeOffset? ModifiedAt { get; init; }

    [JsonPropertyName("trash_at")]
    public DateTimeOffset? TrashAt { get; init; }

    [JsonPropertyName("version")]
    public int Version { get; init; }

    [JsonPropertyName("current_version_uuid")]
    public string? CurrentVersionUuid { get; init; }

    [JsonPropertyName("replication_desired")]
    public int? ReplicationDesired { get; init; }

    [JsonPropertyName("storage_classes_desired")]
    public IReadOnlyList<string>? StorageClassesDesired { get; init; }

    [JsonPropertyName("properties")]
    public JsonElement? Properties { get; init; }

    [JsonPropertyName("file_count")]
    public long FileCount { get; init; }

    [JsonPropertyName("file_size_total")]
    public long FileSizeTotal { get; init; }

    /// <summary>
    /// Our extension, when asked for (<see cref="CatalogClientOptions.AsksForDav"/>): "l" when there are WebDAV locks in the collection and "p" when there are
    /// dead properties, both, or "". Null: the catalogue keeps neither.
    /// </summary>
    [JsonPropertyName("keepfs_dav")]
    public string? DavState { get; init; }
}

/// <summary>A project, role or filter group (catalog-api.md section 10).</summary>
public sealed record Group
{
    [JsonPropertyName("uuid")]
    public string Uuid { get; init; } = "";

    [JsonPropertyName("owner_uuid")]
    public string? OwnerUuid { get; init; }

    [JsonPropertyName("name")]
    public string? Name { get; init; }

    [JsonPropertyName("group_class")]
    public string? GroupClass { get; init; }

    [JsonPropertyName("modified_at")]
    public DateTimeOffset? ModifiedAt { get; init; }

    [JsonPropertyName("can_write")]
    public bool? CanWrite { get; init; }
}

/// <summary>A user (catalog-api.md section 9).</summary>
public sealed record User
{
    [JsonPropertyName("uuid")]
    public string Uuid { get; init; } = "";

    [JsonPropertyName("username")]
    public string? Username { get; init; }

    [JsonPropertyName("full_name")]
    public string? FullName { get; init; }

    [JsonPropertyName("email")]
    public string? Email { get; init; }

    [JsonPropertyName("is_admin")]
    public bool IsAdmin { get; init; }

    [JsonPropertyName("is_active")]
    public bool IsActive { get; init; }
}

/// <summary>What a project or home holds: a sub-project or a collection.</summary>
public sealed record ProjectItem
{
    [JsonPropertyName("uuid")]
    public string Uuid { get; init; } = "";

    [JsonPropertyName("kind")]
    public string? Kind { get; init; }

    [JsonPropertyName("name")]
    public string? Name { get; init; }

    [JsonPropertyName("modified_at")]
    public DateTimeOffset? ModifiedAt { get; init; }

    [JsonPropertyName("portable_data_hash")]
    public string? PortableDataHash { get; init; }

    [JsonPropertyName("owner_uuid")]
    public string? OwnerUuid { get; init; }

    [JsonPropertyName("group_class")]
    public string? GroupClass { get; init; }

    /// <summary>Of projects only; the catalogue does not tell it of collections.</summary>
    [JsonPropertyName("can_write")]
    public bool? CanWrite { get; init; }

    /// <summary>The item is a collection; otherwise a project or filter group.</summary>
    [JsonIgnore]
    public bool IsCollection => Kind == "arvados#collection";
}

/// <summary>What clients need of the public configuration (catalog-api.md section 14).</summary>
/// <param name="ClusterId">Five characters.</param>
/// <param name="DefaultReplication">Copies of each block.</param>
/// <param name="DefaultStorageClasses">Classes for writes that name none.</param>
/// <param name="BlobSigningTtl">Lifetime of block signatures.</param>
/// <param name="ForwardSlashNameSubstitution">What stands for a slash in names; "" = names with slashes are not shown as such.</param>
/// <param name="WebDavUrl">keep-web, or "".</param>
public sealed record SiteConfig(
    string ClusterId,
    int DefaultReplication,
    IReadOnlyList<string> DefaultStorageClasses,
    TimeSpan BlobSigningTtl,
    string ForwardSlashNameSubstitution,
    string WebDavUrl)
{
    /// <summary>Where change events come from; null when the cluster offers none.</summary>
    public Uri? WebsocketUrl { get; init; }
}
